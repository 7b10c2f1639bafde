"""The door a web server opens."""

from __future__ import annotations

import multiprocessing
import os
import threading

from django.core.wsgi import get_wsgi_application

from unaji.web.bodies import watched
from unaji.web.serving import end_with_parent, warm

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unaji.web.settings")
application = watched(get_wsgi_application())


# Each process loads what was compiled before the first person asks what if.
threading.Thread(target=warm, daemon=True).start()

# Should the server that started this process be killed, this one would go on answering beside the next.
end_with_parent()
server = multiprocessing.parent_process()
if server is not None and not server.is_alive():  # it was killed while we were being loaded
    os._exit(1)
