"""The public APIs that a live market comes from, played by one local HTTP server under their real paths.

A gateway is pointed at it by `settings()`. What the market does is set on the object; how a provider fails, in
`faults`, by the provider's name: a status to answer, or one of the words in `FAULTS`.
"""

import http.server
import json
import threading
import time
import urllib.parse

DAY = 86_400
PROVIDERS = [
    "binance", "binance_futures", "bybit", "okx", "coinbase", "coinbase_exchange", "kraken", "yahoo", "yahoo_cookie", "stooq",
    "sec", "cboe", "blockchain_info", "esplora", "ethereum", "alpha_vantage", "finnhub", "fmp", "polygon",
    "tiingo", "fred", "newsapi", "whale_alert",
]
FAULTS = {"slow", "cut", "empty", "garbled"}


class _QuietServer(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A gateway that has ended hangs up: no news."""


class Providers:
    def __init__(self):
        self.prices = {"BTC": 60_000.0, "ETH": 3_000.0, "SOL": 150.0}
        self.stocks = {name: 100.0 for name in ("AAPL", "MSFT", "GOOGL", "AMZN", "TSLA", "SPY", "QQQ", "GLD", "TLT")}
        self.volume_today = {}  # times the usual
        self.funding = {"binance": 0.0001, "bybit": 0.0001, "okx": 0.0001}
        self.depth = 1.0
        self.against = set()  # assets whose last seven days go against the others'
        self.surprises = {}  # symbol: (actual, estimate)
        self.blocks = []  # (when it was mined, list of (hash, bitcoins)); nobody looks behind an old one
        self.mine([("0" * 63 + "1", 0.5)], age=7_200)
        self.faults = {}
        self.asked = []
        self._server = _QuietServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def settings(self):
        """What points a gateway here."""
        return {"MARKET_DATA_SOURCE": "live"} | {
            f"{name.upper()}_BASE_URL": f"{self.url}/{name}" for name in PROVIDERS
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def mine(self, transactions, age=0):
        """Adds a block to Bitcoin's chain, so many seconds old."""
        self.blocks.append((int(time.time()) - age, transactions))

    # What is asked

    def answer(self, provider, path, query):
        """The JSON of an answer; KeyError where the provider has no such thing."""
        now = int(time.time() * 1000)
        match provider, path:
            case "binance", "/api/v3/ping":
                return {}
            case "coinbase", "/v2/time":
                return {"data": {"iso": "2026-11-24T00:00:00Z", "epoch": now // 1000}}
            case "kraken", "/0/public/Time":
                return {"error": [], "result": {"unixtime": now // 1000, "rfc1123": ""}}
            case "binance", "/api/v3/ticker/24hr":
                asset = query["symbol"].removesuffix("USDT")
                return {"symbol": query["symbol"], "lastPrice": f"{self.prices[asset]}", "closeTime": now}
            case "binance", "/api/v3/klines":
                asset = query["symbol"].removesuffix("USDT")
                return [
                    [opens * 1000, f"{close}", f"{close}", f"{close}", f"{close}", f"{volume}",
                     opens * 1000 + DAY * 1000 - 1, "1", 1, "1", "1", "0"]
                    for opens, close, volume in self._days(asset, self.prices[asset])
                ]
            case "coinbase_exchange", path if path.endswith("-USD/book"):
                price = self.prices[path.split("/")[2].removesuffix("-USD")]
                return {
                    "sequence": 1, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                    "bids": [[f"{price * (1 - step / 1000)}", f"{self.depth * 10}", 1] for step in range(1, 20)],
                    "asks": [[f"{price * (1 + step / 1000)}", f"{self.depth * 10}", 1] for step in range(1, 20)],
                }
            case "binance_futures", "/fapi/v1/premiumIndex":
                return {
                    "symbol": query["symbol"], "markPrice": "1", "indexPrice": "1", "time": now,
                    "lastFundingRate": f"{self.funding['binance']:.8f}", "nextFundingTime": now + 3_600_000,
                }
            case "bybit", "/v5/market/tickers":
                ticker = {
                    "symbol": query["symbol"], "fundingRate": f"{self.funding['bybit']:.8f}", "lastPrice": "60000",
                    "nextFundingTime": f"{now + 3_600_000}", "fundingIntervalHour": "8",
                }
                return {"retCode": 0, "retMsg": "OK", "result": {"category": "linear", "list": [ticker]}, "time": now}
            case "okx", "/api/v5/public/funding-rate":
                rate = {
                    "instId": query["instId"], "fundingRate": f"{self.funding['okx']:.8f}",
                    "fundingTime": f"{now + 3_600_000}", "nextFundingTime": f"{now + 32_400_000}", "ts": f"{now}",
                }
                return {"code": "0", "msg": "", "data": [rate]}
            case "yahoo", path if path.startswith("/v8/finance/chart/"):
                return self._chart(path.rsplit("/", 1)[1], now // 1000)
            case "yahoo", path if path.startswith("/v10/finance/quoteSummary/"):
                return self._earnings(path.rsplit("/", 1)[1])
            case "blockchain_info", "/latestblock":
                return {"hash": f"{len(self.blocks):064x}", "time": now // 1000, "height": len(self.blocks)}
            case "blockchain_info", path if path.startswith("/rawblock/"):
                return self._block(path.rsplit("/", 1)[1])
            case "bybit", "/v5/market/kline":
                asset = query["symbol"].removesuffix("USDT")
                rows = [[f"{opens * 1000}", *[f"{close}"] * 4, f"{volume}", "1"]
                        for opens, close, volume in self._days(asset, self.prices[asset])]
                return {"retCode": 0, "retMsg": "OK", "result": {"list": rows[::-1]}, "time": now}
        raise KeyError(path)

    def _days(self, asset, price):
        """130 days up to now: when each opens, its close, its volume. Two assets move as one, but those in `against`
        go the other way in the last seven days."""
        today = int(time.time()) // DAY * DAY
        close, days = price, []
        for back in range(129, -1, -1):
            step = 0.01 * ((back * 7919) % 13 - 6) / 6
            if asset in self.against and back <= 7:
                step = -step
            close *= 1 + step
            days.append([today - back * DAY, close, 100.0 if back else 100.0 * self.volume_today.get(asset, 1)])
        return days

    def _chart(self, symbol, now):
        asset = symbol.removesuffix("-USD")
        price = self.stocks.get(asset) or self.prices[asset]
        days = self._days(asset, price)
        closes = [close for _, close, _ in days]
        quote = {"open": closes, "high": closes, "low": closes, "close": closes, "volume": [int(v) for *_, v in days]}
        meta = {"symbol": symbol, "currency": "USD", "regularMarketPrice": price, "regularMarketTime": now,
                "instrumentType": "EQUITY", "gmtoffset": 0, "exchangeTimezoneName": "UTC", "dataGranularity": "1d"}
        result = {"meta": meta, "timestamp": [opens for opens, *_ in days], "indicators": {"quote": [quote]}}
        return {"chart": {"result": [result], "error": None}}

    def _earnings(self, symbol):
        today = int(time.time()) // DAY * DAY
        figures = [(today - 130 * DAY, 1.0, 1.0)]
        if symbol in self.surprises:
            figures.append((today - 40 * DAY, *self.surprises[symbol]))
        history = [
            {"maxAge": 1, "epsActual": actual, "epsEstimate": estimate, "surprisePercent": 0, "quarter": quarter,
             "period": "-1q", "currency": "USD"}
            for quarter, actual, estimate in figures
        ]
        return {"quoteSummary": {"result": [{"earningsHistory": {"history": history, "maxAge": 86400}}], "error": None}}

    def _block(self, block_hash):
        index = int(block_hash, 16) - 1
        mined, transactions = self.blocks[index]
        entries = [
            {"hash": name, "time": mined, "inputs": [{"prev_out": {"addr": "1From", "value": int(amount * 1e8)}}],
             "out": [{"addr": "1To", "value": int(amount * 1e8)}]}
            for name, amount in transactions
        ]
        return {"hash": block_hash, "prev_block": f"{index:064x}", "time": mined, "height": index + 1,
                "n_tx": len(entries), "tx": entries}

    # The server

    def _handler(self):
        market = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self._answer()

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._answer()

            def _answer(self):
                url = urllib.parse.urlsplit(self.path)
                _, provider, rest = url.path.split("/", 2)
                market.asked.append((provider, "/" + rest))
                fault = market.faults.get(provider)
                # Yahoo answers with figures of a company only to whoever has its cookie and a crumb.
                if provider == "yahoo_cookie":
                    return self._reply(404, b"", {"Set-Cookie": "A3=d=cookie; Path=/; Secure"})
                if rest == "v1/test/getcrumb":
                    return self._reply(200 if "A3=d=cookie" in self.headers.get("Cookie", "") else 401, b"Crumb")
                if rest.startswith("v10/") and "crumb=Crumb" not in url.query:
                    return self._reply(401, b"{}")
                if fault == "slow":
                    time.sleep(20)
                if fault == "empty":
                    return self._reply(200, b"")
                if fault == "garbled":
                    return self._reply(200, b'{"prices": [1, 2,, \xff')
                if isinstance(fault, int):
                    return self._reply(fault, b"no")
                try:
                    query = dict(urllib.parse.parse_qsl(url.query))
                    body = json.dumps(market.answer(provider, "/" + rest, query)).encode()
                except (KeyError, IndexError, ValueError):
                    return self._reply(404, b"{}")
                self._reply(200, body, cut=fault == "cut")

            def _reply(self, status, body, fields={}, cut=False):
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if cut else body)
                if cut:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        return Handler
