"""Customers of the shop: client.py PORT ROUND sends one round of ordinary traffic."""
import http.client
import random
import sys
import threading

LOGINS = WATCHES = 400
READS = 600
ORDERS = 60
GOOD_IMPORTS = 5
BAD_IMPORTS = 40


def request(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def upload(number, lines):
    """Some CSV."""
    return b"".join(b"pear %d.%d,1.5\n" % (number, line) for line in range(lines))


def work(chance):
    """The requests of a round, in random order: (method, path, body, status)."""
    jobs = [("POST", "/login?user=user%d" % chance.randrange(50), None, 200)
            for _ in range(LOGINS)]
    jobs += [("POST", "/watch?item=%d" % chance.randrange(1, 200), None, 200)
             for _ in range(WATCHES)]
    jobs += [("GET", "/item/%d" % (1 + number % 300), None, 200) for number in range(READS)]
    jobs += [("POST", "/order?item=%d&amount=2" % chance.randrange(1, 200), None, 200)
             for _ in range(ORDERS)]
    jobs += [("POST", "/import", upload(number, 10), 201) for number in range(GOOD_IMPORTS)]
    jobs += [("POST", "/import", upload(number, 1000)[:-1], 400) for number in range(BAD_IMPORTS)]
    jobs += [("GET", "/statistics", None, 200)] * 10
    chance.shuffle(jobs)
    return jobs


def customer(port, jobs, failures):
    for method, path, body, expected in jobs:
        try:
            status = request(port, method, path, body)
        except OSError as error:
            failures.append("%s %s: %s" % (method, path, error))
            break
        if status != expected:
            failures.append("%s %s: status %d" % (method, path, status))


def main():
    port, number = int(sys.argv[1]), int(sys.argv[2])
    jobs = work(random.Random(number))
    failures = []
    threads = [threading.Thread(target=customer, args=(port, jobs[first::4], failures))
               for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit("client: " + failures[0])


main()
