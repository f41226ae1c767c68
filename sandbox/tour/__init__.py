"""The guided tour: a synthetic teacher works the real window by its keys; a film and a page come out."""
