# SPDX-License-Identifier: GPL-2.0-or-later
"""http200.py [FIFO]: a server in one thread, and 200 requests to it from another, by the loopback;
with a FIFO, after somebody has opened it."""
import http.client
import http.server
import os
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ("you asked for %s\n" % self.path).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


def request(port, i):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/page/%d" % i)
    assert connection.getresponse().read() == b"you asked for /page/%d\n" % i
    connection.close()


def main():
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        for i in range(200):
            request(server.server_port, i)
        server.shutdown()
        thread.join()


if len(sys.argv) > 1:
    print("ready", flush=True)
    os.open(sys.argv[1], os.O_RDONLY)
main()
