from .answer import Answer as Answer
from .answer import Event as Event
from .answer import ModelSettings as ModelSettings
from .answer import answer_tracks as answer_tracks
from .answer import answer_video as answer_video
from .answer.stream import EventStream as EventStream

__version__: str
