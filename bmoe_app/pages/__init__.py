"""Pages that open in any browser, from the disk and without network: an answer, a folder of answers.

Example:
    >>> from bmoe_app.pages import relative_href, write_page
    >>> write_page('answers/a.html', answer, relative_href('videos/a.mp4', 'answers/a.html'))
"""

from bmoe_app.pages.answer_page import answer_page, write_page
from bmoe_app.pages.base import relative_href
from bmoe_app.pages.index_page import IndexEntry, index_page, write_index

__all__ = ['IndexEntry', 'answer_page', 'index_page', 'relative_href', 'write_index', 'write_page']
