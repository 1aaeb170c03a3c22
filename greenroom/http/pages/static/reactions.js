/** Reactions as values, and which emoji are offered. All pure. */

/** Offered at once. */
export const FAVOURITES = Object.freeze(["👍", "❤️", "😂", "🎉", "😮", "🙏"]);

/** Offered on demand: what one says about a lesson, a plan and a joke. Any other can be typed. */
export const COMMON = Object.freeze([
  ...["😀", "😄", "😅", "😊", "😉", "😍", "😎", "🤔"],
  ...["😢", "😭", "😴", "🤯", "🥳", "🤗", "😬", "🙈"],
  ...["👏", "🙌", "👌", "✌️", "🤞", "💪", "👋", "👀"],
  ...["✅", "❌", "❓", "💯", "🔥", "⭐", "💡", "📚"],
  ...["🎹", "🎸", "🎻", "🥁", "🎤", "🎨", "⚽", "🧮"],
]);

/** The reactions with that of a user added or taken away, in the server's order; the same if nothing changed. */
export function withOwn(reactions, emoji, userId, isAdded) {
  const users = reactions.find((reaction) => reaction.emoji === emoji)?.user_ids ?? [];
  if (users.includes(userId) === isAdded) return reactions;
  const others = reactions.filter((reaction) => reaction.emoji !== emoji);
  const left = isAdded ? [...users, userId].sort() : users.filter((id) => id !== userId);
  if (!left.length) return others;
  return [...others, { emoji, user_ids: left }].sort((a, b) => (a.emoji < b.emoji ? -1 : 1));
}

/** The first emoji of a text, however many code points it is made of; null if it begins with none. */
export function firstEmoji(text) {
  const [first] = new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text.trim());
  return first && /\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3/u.test(first.segment)
    ? first.segment
    : null;
}
