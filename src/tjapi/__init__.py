"""体检: the back end of a hospital's health-examination department. One folder per step of an examinee's journey."""
