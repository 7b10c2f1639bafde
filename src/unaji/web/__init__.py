"""The web app: a Django project. `casebook` holds what is stored; `patient` and `public` show it to their audiences."""
