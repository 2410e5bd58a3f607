"""Long work for the app, in one worker process that all sessions share."""
