/** A press beside a dialog closes it; the dialog itself is what the backdrop's press is told to. */
export function closeFromBackdrop(event) {
  if (event.target === event.currentTarget) event.currentTarget.close();
}
