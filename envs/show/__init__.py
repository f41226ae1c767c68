"""Any world on any surface: live rows and recordings."""
