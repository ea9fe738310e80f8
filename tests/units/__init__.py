"""Units, what they can do, drive and carry; facilities and stock; photos; spreadsheets."""
