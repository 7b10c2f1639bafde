"""What whoever runs the app needs: is everything as it should be, keep a copy, bring it back."""
