"""Alarms and the clocks behind them."""
