"""The door a web server opens."""

from __future__ import annotations

import os
import threading

from django.core.wsgi import get_wsgi_application

from unaji.web.bodies import watched
from unaji.web.serving import warm

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unaji.web.settings")
application = watched(get_wsgi_application())


# Each process loads what was compiled before the first person asks what if.
threading.Thread(target=warm, daemon=True).start()
