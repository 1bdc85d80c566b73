from .convert import ConvertSettings as ConvertSettings
from .convert import convert_poses as convert_poses
from .convert.clips import ReadOptions as ReadOptions
from .draw.render import RenderStyle as RenderStyle
from .draw.render import draw_frame as draw_frame
from .draw.sheet import draw_sheet as draw_sheet
from .extraction import extract as extract
from .layout_conversion import convert_layout as convert_layout
from .settings import ExtractSettings as ExtractSettings
from .skeletons import REGIONS as REGIONS
from .skeletons import Skeleton as Skeleton
from .skeletons import get_skeleton as get_skeleton
from .skeletons import load_layout as load_layout
from .skeletons import register_layout as register_layout
from .skeletons import skeleton_names as skeleton_names
from .smoothing import AfterCare as AfterCare
from .smoothing import apply_after_care as apply_after_care
from .tracks import PoseTracks as PoseTracks
from .tracks import load_tracks as load_tracks
from .tracks import save_tracks as save_tracks

__version__: str
