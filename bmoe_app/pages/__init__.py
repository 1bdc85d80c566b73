"""Pages that open in any browser, from the disk and without network: an answer, a folder of answers."""
