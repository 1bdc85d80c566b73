"""Faces to attributes, emotion, real or fake, learned together with the reconstruction of the face's texture.

    model = face_aux.load_face_model('best.pth')
    rows = face_aux.FaceInferencer(model, face_aux.build_detector('mediapipe')).predict(['photos/'])
    face_aux.write_predictions('faces.csv', rows, model.tasks)
    codes = face_aux.textures.local_binary_pattern(images, P=8, R=1)   # (N, H, W) uint8, on any device

What is here, by task; every name is loaded when it is first used:

* a trained checkpoint: :func:`load_face_model`, :class:`FaceModel`, :class:`FaceInferencer`,
  :class:`Prediction`, :func:`write_predictions`; finding and framing faces: :func:`build_detector`, :class:`Face`,
  :class:`CropSettings`
* texture patterns as batched operators: :mod:`face_aux.textures`
* for whom it works: :func:`face_aux.metrics.report` makes a :class:`FairnessReport` of :class:`TaskScores`; the other
  scores: :mod:`face_aux.metrics`
* face sets: :mod:`face_aux.datasets`; what a face goes through: :mod:`face_aux.transforms`
* the model and its parts: :mod:`face_aux.models`

Classes are registered with mmengine in :mod:`face_aux.registry`, which ``default_scope = 'face_aux'`` loads. Neither
of the other two packages is used.
"""

import lazy_loader

import bmoe_ground  # noqa: F401  (its import cures have to be in place before mmengine, timm or mmpose)
from bmoe_ground.version import __version__ as __version__

# the names stand in __init__.pyi, once for readers, type checkers and this
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
