/** What the page says of a pause when nothing more is to come of it. */
export const PAUSED = "Paused.";
export const PAUSED_AND_KEPT = "Paused, and kept in this browser.";
