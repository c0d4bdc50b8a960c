"""A small shop: HTTP and SQLite from the standard library, and three leaks of everyday kind.

Nothing in here knows of Tidemark.
"""
import contextlib
import csv
import http.server
import io
import json
import logging
import secrets
import sqlite3
import sys
import threading
import time
import urllib.parse

log = logging.getLogger("shop")


# ---- sessions: a registry that only grows ------------------------------------------------


class Session:
    __slots__ = ("user", "created", "seen", "address", "agent", "locale", "theme", "zone",
                 "cart", "coupon", "currency", "referrer", "campaign", "verified", "admin",
                 "page", "scroll", "flash", "draft", "search", "filters", "sorting")

    def __init__(self, user):
        for name in self.__slots__:
            setattr(self, name, None)
        self.user = user
        self.created = self.seen = time.monotonic()


class Sessions:
    def __init__(self):
        self.by_token = {}
        self.lock = threading.Lock()

    def login(self, user):
        token = secrets.token_hex(8)
        session = Session(user)
        with self.lock:
            self.by_token[token] = session  # and nothing ever takes it out
        return token


# ---- errors: a handler that keeps log records, and with them tracebacks and locals --------


class RecentErrors(logging.Handler):
    """Shows the last errors on /errors; forgets to forget the ones before."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.records = []

    def emit(self, record):
        self.records.append(record)


def import_items(stream, length, shop):
    body = stream.read(length)
    if not body.endswith(b"\n"):
        raise ValueError("the upload is cut off")
    rows = csv.reader(io.StringIO(body.decode()))
    return [shop.add_item(name, float(price)) for name, price in rows]


# ---- watchers: closures connected to a signal and never disconnected ----------------------


class Signal:
    def __init__(self):
        self.receivers = []

    def connect(self, receiver):
        self.receivers.append(receiver)

    def send(self, value):
        for receiver in self.receivers:
            receiver(value)


def watch(signal, item, counts):
    def ordered(value):
        if value == item:
            counts[item] = counts.get(item, 0) + 1
    signal.connect(ordered)


# ---- the shop -----------------------------------------------------------------------------


class Shop:
    def __init__(self, path):
        self.path = path
        self.cache = {}
        self.counts = {}
        self.sessions = Sessions()
        self.on_order = Signal()
        with self.transaction() as database:
            database.executescript(
                "create table item (id integer primary key, name text, price real);"
                "create table purchase (id integer primary key, item integer, amount integer);")
            database.executemany("insert into item (name, price) values (?, ?)",
                                 [("item %d" % number, number / 4) for number in range(300)])

    @contextlib.contextmanager
    def transaction(self):
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as database:
            with database:
                yield database

    def add_item(self, name, price):
        with self.transaction() as database:
            return database.execute("insert into item (name, price) values (?, ?)",
                                    (name, price)).lastrowid

    def item(self, number):
        """A cache that fills once and stays: not a leak."""
        if number not in self.cache:
            with self.transaction() as database:
                row = database.execute("select name, price from item where id = ?",
                                       (number,)).fetchone()
            self.cache[number] = {"name": row[0], "price": row[1]}
        return self.cache[number]

    def order(self, item, amount):
        with self.transaction() as database:
            database.execute("insert into purchase (item, amount) values (?, ?)", (item, amount))
        self.on_order.send(item)

    def statistics(self):
        with self.transaction() as database:
            rows = database.execute(
                "select item, sum(amount) from purchase group by item order by 2 desc").fetchall()
        return [{"item": item, "sold": sold} for item, sold in rows]


class Handler(http.server.BaseHTTPRequestHandler):
    shop = None

    def log_message(self, *args):
        pass  # requests are not worth a line each

    def answer(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path.startswith("/item/"):
            self.answer(self.shop.item(int(path.rsplit("/", 1)[1])))
        else:
            self.answer(self.shop.statistics())

    def do_POST(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/login":
            self.answer(self.shop.sessions.login(query["user"]))
        elif url.path == "/watch":
            self.answer(watch(self.shop.on_order, int(query["item"]), self.shop.counts))
        elif url.path == "/order":
            self.answer(self.shop.order(int(query["item"]), int(query["amount"])))
        else:
            self.answer(*self.import_items())

    def import_items(self):
        try:
            length = int(self.headers["Content-Length"])
            return import_items(self.rfile, length, self.shop), 201
        except ValueError:
            log.exception("import failed")
            return "bad data", 400


def main():
    log.addHandler(RecentErrors())
    log.propagate = False
    Handler.shop = Shop(sys.argv[1])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
