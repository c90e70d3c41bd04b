/** The text of each page that quotes a reference run: as it is, and as it should be. */
export function quotedPages(): { page: string; before: string; after: string }[];
