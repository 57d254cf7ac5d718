"""Problems of Hock & Schittkowski's collection, a file each."""
