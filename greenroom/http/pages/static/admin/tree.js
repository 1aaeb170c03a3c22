/** The tree as the stream tells it, and the rows a table shows of it. Pure functions. */

/** A supervisor with more children than this is folded until somebody unfolds it. */
const UNFOLDED_MAX = 8;

/** Apply a delta; the first one of a connection replaces everything. Nodes remember when they were last seen to change. */
export function applyDelta(nodes, { changed, removed }, { isFirst, now }) {
  const next = new Map(isFirst ? [] : nodes);
  for (const path of removed) next.delete(path);
  for (const node of changed) next.set(node.path, { ...node, seenAt: now });
  return next;
}

export const parentOf = (path) => path.slice(0, path.lastIndexOf("/"));

export const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);

/**
 * The rows of the tree from the top, without what is folded away.
 *
 * With a filter (`text`, `kind`, `state`) every node that fits is shown with those above it, folded or not.
 *
 * @param folds what somebody folded or unfolded: path → is unfolded.
 */
export function rowsOf(nodes, folds, filter = {}) {
  const below = new Map();
  for (const node of nodes.values()) {
    const parent = parentOf(node.path);
    if (!below.has(parent)) below.set(parent, []);
    below.get(parent).push(node);
  }
  const isFiltered = Boolean(filter.text || filter.kind || filter.state);
  const rows = [];

  function add(node, level) {
    const children = below.get(node.path) ?? [];
    const isUnfolded = isFiltered || (folds.get(node.path) ?? (level === 0 || node.is_root || node.children_total <= UNFOLDED_MAX));
    const place = rows.length;
    rows.push({ node, level, isParent: node.children_total > 0, isUnfolded });
    let found = !isFiltered || fits(node, filter);
    if (isUnfolded) {
      for (const child of children) found = add(child, level + 1) || found;
      if (!isFiltered && node.collapsed) rows.push({ rest: node.collapsed, node, level: level + 1 });
    }
    if (!found) rows.splice(place);
    return found;
  }

  for (const node of nodes.values()) if (!nodes.has(parentOf(node.path))) add(node, 0);
  return rows;
}

export function fits(node, { text, kind, state }) {
  return (
    (!text || node.path.toLowerCase().includes(text.toLowerCase())) &&
    (!kind || node.kind === kind) &&
    (!state || node.state === state)
  );
}

/** Kinds of actors among the nodes, in alphabetical order. */
export function kindsOf(nodes) {
  return [...new Set([...nodes.values()].filter((node) => !node.is_worker).map((node) => node.kind))].sort();
}

/** What can't work though nothing works without it. A supervisor is told by what is below it. */
export function hinderedOf(nodes) {
  return [...nodes.values()].filter((node) => node.is_essential && node.hindrance !== null);
}

/** How long a node has been idle by now, given how long it was when it last changed. */
export function idleMs(node, now) {
  return node.current ? 0 : node.idle_ms + (now - (node.seenAt ?? now));
}
