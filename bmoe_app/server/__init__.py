"""``bmoe app``: videos dropped on a page of this computer's browser, answered one after the other.

:mod:`~bmoe_app.server.store` keeps the videos and their answers on the disk, which is the one truth;
:mod:`~bmoe_app.server.worker` is the process that answers; :mod:`~bmoe_app.server.queue` hands it one video after the
other; :mod:`~bmoe_app.server.guard` says who may ask; :mod:`~bmoe_app.server.routes` is what can be asked;
:mod:`~bmoe_app.server.command` ties them together. The page itself is :mod:`bmoe_app.pages.app_page`.
"""
