/** The page's icons, each made anew where it is used. */

import { icon } from "./dom.js";

export const backIcon = () => icon("M15 5l-7 7 7 7");
export const writeIcon = () => icon("M4 20h4L19 9l-4-4L4 16z", "M13 7l4 4");
export const sendIcon = () => icon("M12 19V5", "M6 11l6-6 6 6");
export const archiveIcon = () => icon("M4 5h16v4H4z", "M6 9v10h12V9", "M10 13h4");
export const unarchiveIcon = () =>
  icon("M4 5h16v4H4z", "M6 9v10h12V9", "M12 17v-5", "M9.500 14.500L12 12l2.500 2.500");
export const trashIcon = () => icon("M5 7h14", "M10 7V4h4v3", "M7 7l1 13h8l1-13", "M10.500 11v5", "M13.500 11v5");
export const restoreIcon = () => icon("M5 12a7 7 0 1 1 2 5", "M5 17v-5h5");
export const moreIcon = () => icon("M5 12h.01", "M12 12h.01", "M19 12h.01");
export const addEmojiIcon = () =>
  icon(
    "M19 11a8 8 0 1 1-6-7",
    "M8 14c1 1.500 2 2 3.500 2s2.500-.500 3.500-2",
    "M8.500 10h.01",
    "M14 10h.01",
    "M19 2v6",
    "M16 5h6",
  );
export const editIcon = () => icon("M4 20h4L19 9l-4-4L4 16z", "M13 7l4 4");
export const copyIcon = () => icon("M9 9h10v11H9z", "M15 9V4H5v11h4");
export const historyIcon = () => icon("M4 12a8 8 0 1 0 2.500-6", "M4 4v4h4", "M12 8v4l3 2");
export const calendarIcon = () => icon("M5 6h14v14H5z", "M5 10h14", "M9 3v4", "M15 3v4");
export const bookIcon = () =>
  icon("M5 6h14v14H5z", "M5 10h14", "M9 3v4", "M15 3v4", "M12 12.500v5", "M9.500 15h5");
export const logOutIcon = () => icon("M14 4H6v16h8", "M10 12h10", "M17 9l3 3-3 3");
export const closeIcon = () => icon("M6 6l12 12", "M18 6L6 18");
export const searchIcon = () => icon("M11 5a6 6 0 1 0 0 12a6 6 0 1 0 0-12", "M15.500 15.500L20 20");
export const placeIcon = () => icon("M12 21s-6-5.500-6-11a6 6 0 0 1 12 0c0 5.500-6 11-6 11z", "M12 8a2 2 0 1 0 0 4a2 2 0 1 0 0-4");
export const downIcon = () => icon("M12 5v14", "M6 13l6 6 6-6");
export const clockIcon = () => icon("M12 4a8 8 0 1 0 0 16a8 8 0 1 0 0-16", "M12 8v4l3 2");
export const alertIcon = () => icon("M12 4a8 8 0 1 0 0 16a8 8 0 1 0 0-16", "M12 8v5", "M12 16v.01");
export const sentIcon = () => icon("M5 13l4 4L19 7");
export const receivedIcon = () => icon("M2 13l4 4L16 7", "M11 16l1 1L22 7");
export const speechIcon = () =>
  icon("M4 8a3 3 0 0 1 3-3h10a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3h-5l-5 4v-4a3 3 0 0 1-3-3z");
