"""What leaves: an answer as files that other programs read, and corrected events read back."""

from bmoe_app.exports.event_table import write_event_table
from bmoe_app.exports.kinds import EXPORTS, Export, write_export
from bmoe_app.exports.read import read_event_table, read_events

__all__ = ['EXPORTS', 'Export', 'read_event_table', 'read_events', 'write_event_table', 'write_export']
