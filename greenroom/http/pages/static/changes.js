/** What becomes of messages that were sent: edited, deleted, reacted to. It changes the state by actions only. */

import { ApiError } from "./api.js";
import { messageOf } from "./selectors.js";

/**
 * @param api `{ edit, remove, react, versions, messageAt }`
 * @param onNotice called with words for the person.
 */
export function createChanges({ api, store, onNotice }) {
  const dispatch = (action) => store.dispatch(action);

  const beginEdit = (message) => dispatch({ type: "edit_begun", message });
  const cancelEdit = () => dispatch({ type: "edit_ended", messageId: store.state.editing?.messageId });

  /** Save what the message being edited is to say; a refusal is told in its place. */
  async function saveEdit(content) {
    const { conversationId, messageId, version, isSaving } = store.state.editing;
    const message = messageOf(store.state, conversationId, messageId);
    if (isSaving || !message) return;
    if (content === message.content) return cancelEdit();
    dispatch({ type: "edit_saving", messageId });
    try {
      dispatch({ type: "message_changed", message: await api.edit(messageId, content, version) });
      dispatch({ type: "edit_ended", messageId });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === "version_mismatch") await conflicted(message, content);
      else dispatch({ type: "edit_refused", messageId, problem: error.message });
    }
  }

  /** Show what there is by now. It may be our own words: saved, and only the answer lost. */
  async function conflicted({ id: messageId, conversation_id, seq }, content) {
    try {
      const message = await api.messageAt(conversation_id, seq);
      dispatch({ type: "edit_conflicted", message });
      if (message.content === content) dispatch({ type: "edit_ended", messageId });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      dispatch({ type: "edit_refused", messageId, problem: error.message });
    }
  }

  /** Resolves to whether it is gone. */
  async function remove(message) {
    try {
      await api.remove(message.id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      onNotice(`The message was not deleted. ${error.message}`);
      return false;
    }
    dispatch({ type: "message_removed", message, at: new Date().toISOString() });
    return true;
  }

  return {
    beginEdit,
    cancelEdit,
    saveEdit,
    remove,
    react: createReactor({ api, store, onNotice }),
    versions: api.versions,
  };
}

/**
 * Return `react(message, emoji, isAdded)`, which shows the wish at once and makes the server follow.
 *
 * Per message and emoji there is one request at a time: whoever changes their mind meanwhile gets what they wanted last.
 */
function createReactor({ api, store, onNotice }) {
  const underWay = new Set();

  return async function react({ id: messageId, conversation_id: conversationId }, emoji, isAdded) {
    store.dispatch({ type: "reaction_asked", messageId, emoji, isAdded });
    const name = JSON.stringify([messageId, emoji]);
    if (underWay.has(name)) return;
    underWay.add(name);
    const wanted = () => store.state.reacting[messageId]?.[emoji] ?? told;
    let told = isAdded;
    let isDone = false;
    try {
      do {
        told = wanted();
        await api.react(messageId, emoji, told);
      } while (wanted() !== told);
      isDone = true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      onNotice(error.message);
    } finally {
      underWay.delete(name);
      store.dispatch({ type: "reaction_settled", conversationId, messageId, emoji, isAdded: told, isDone });
    }
  };
}
