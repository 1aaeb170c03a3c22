/** Rows that are moved sideways where they are too long, and show on which side they go on. */

/** What is under a pixel beyond the edge is rounding. */
const ROUNDING_PX = 1;

/** Have a row carry the classes `goes-on-left` and `goes-on-right` while there is more of it on that side; returns the row. */
export function sideways(row) {
  function tell() {
    const hidden = row.scrollWidth - row.clientWidth;
    const moved = Math.abs(row.scrollLeft); // negative where one reads from the right
    const isFromRight = getComputedStyle(row).direction === "rtl";
    const before = moved > ROUNDING_PX;
    const after = hidden - moved > ROUNDING_PX;
    row.classList.toggle("goes-on-left", isFromRight ? after : before);
    row.classList.toggle("goes-on-right", isFromRight ? before : after);
  }

  row.addEventListener("scroll", tell, { passive: true });
  new ResizeObserver(tell).observe(row);
  // What is put in may not change the row's own size.
  new MutationObserver(tell).observe(row, { childList: true, subtree: true, characterData: true });
  return row;
}
