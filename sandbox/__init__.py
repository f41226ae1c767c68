"""The application: store, learning process, session, screen, command line."""
