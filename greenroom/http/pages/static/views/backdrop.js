/**
 * A press beside a dialog closes it; the dialog itself is what the backdrop's press is told to. Not for those in which something
 * is written: selecting it with a pointer may end beside them, which is told alike.
 */
export function closeFromBackdrop(event) {
  if (event.target === event.currentTarget) event.currentTarget.close();
}
