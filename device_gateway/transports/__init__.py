"""How bytes arrive: TCP today; serial lines, folders and DICOM associations are siblings. None knows what bytes mean."""
