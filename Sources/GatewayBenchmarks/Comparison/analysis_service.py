"""What scripts/bench measures analyses against: the same eight workers' figures as a Python service has them, from
pandas, TA-Lib, scipy and VADER, on the same recorded market, held in memory.

    analysis_service.py PORT RECORDING-DIRECTORY

It answers POST /analysis {"asset": {"symbol": "AAPL"}} with every figure, computed anew, over connections that are kept
alive. One process, as such a service is started; what the libraries do in C they do there too.
"""

import json
import pathlib
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import talib
from scipy.optimize import brentq
from scipy.stats import norm
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

PERIODS = 252
RISK_FREE = 0.04
BENCHMARKS = ["SPY", "QQQ", "TLT", "GLD"]
WEIGHTS = {
    "fundamentals": 0.20, "technical": 0.20, "risk": 0.15, "macro": 0.10, "sentiment": 0.10, "news": 0.10,
    "options": 0.10, "correlation": 0.05,
}


class Market:
    """The recording, read once."""

    def __init__(self, directory):
        self.bars, self.fundamentals, self.news, self.options, self.macro = {}, {}, {}, {}, {}
        for path in sorted(pathlib.Path(directory).glob("*.csv")):
            frame = pd.read_csv(path)
            if "time" not in frame:
                continue
            if "contract" in frame:
                self.keep(self.options, frame)
            elif "title" in frame:
                self.keep(self.news, frame)
            elif "indicator" in frame:
                self.macro |= {name: part for name, part in frame.groupby("indicator")}
            elif "market_cap" in frame:
                self.keep(self.fundamentals, frame)
            elif "close" in frame:
                self.keep(self.bars, frame)

    @staticmethod
    def keep(table, frame):
        for symbol, part in frame.groupby("symbol"):
            part = part.assign(time=pd.to_datetime(part["time"], utc=True)).sort_values("time")
            table[symbol] = part.set_index("time")


def technical(bars):
    bars = bars.tail(260)
    close, high, low = (bars[name].to_numpy(float) for name in ("close", "high", "low"))
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    indicators = {
        "rsi": talib.RSI(close, 14)[-1], "macd": macd[-1], "signal": signal[-1], "histogram": histogram[-1],
        "upper": upper[-1], "middle": middle[-1], "lower": lower[-1],
        "ema_12": talib.EMA(close, 12)[-1], "ema_26": talib.EMA(close, 26)[-1],
        "atr": talib.ATR(high, low, close, 14)[-1],
    }
    for days in (20, 50, 200):
        indicators[f"sma_{days}"] = bars["close"].rolling(days).mean().iloc[-1]
    indicators["support"] = bars["low"].rolling(20).min().iloc[-1]
    indicators["resistance"] = bars["high"].rolling(20).max().iloc[-1]
    return {"indicators": indicators, "score": 5.0}


def risk(bars):
    returns = bars["close"].tail(253).pct_change().dropna()
    excess = returns - ((1 + RISK_FREE) ** (1 / PERIODS) - 1)
    downside = np.sqrt((excess.clip(upper=0) ** 2).mean()) * np.sqrt(PERIODS)
    wealth = pd.concat([pd.Series([1.0]), (1 + returns).cumprod()])
    var_95, var_99 = np.percentile(returns, 5), np.percentile(returns, 1)
    return {
        "metrics": {
            "volatility": returns.std() * np.sqrt(PERIODS), "var_95": var_95, "var_99": var_99,
            "cvar_95": returns[returns <= var_95].mean(),
            "sharpe_ratio": excess.mean() / excess.std() * np.sqrt(PERIODS),
            "sortino_ratio": excess.mean() * PERIODS / downside, "downside_deviation": downside,
            "max_drawdown": (wealth / wealth.cummax() - 1).min(), "mean_return": returns.mean() * PERIODS,
        },
        "score": 5.0,
    }


def correlation(bars, benchmarks):
    own = bars["close"].tail(253)
    correlations, rolling, beta = {}, {}, None
    for symbol, other in benchmarks.items():
        joined = pd.concat([own, other["close"].tail(253)], axis=1, join="inner").pct_change().dropna()
        if len(joined) < 2:
            continue
        first, second = joined.iloc[:, 0], joined.iloc[:, 1]
        correlations[symbol] = first.corr(second)
        rolling[symbol] = {days: first.tail(days).corr(second.tail(days)) for days in (7, 30, 90)}
        beta = first.cov(second) / second.var() if beta is None else beta
    return {"correlations": correlations, "rolling_correlations": rolling, "beta": beta, "score": 5.0}


def bsm(kind, spot, strike, years, volatility):
    d1 = (np.log(spot / strike) + (RISK_FREE + volatility**2 / 2) * years) / (volatility * np.sqrt(years))
    d2 = d1 - volatility * np.sqrt(years)
    discounted = strike * np.exp(-RISK_FREE * years)
    if kind == "call":
        return spot * norm.cdf(d1) - discounted * norm.cdf(d2)
    return discounted * norm.cdf(-d2) - spot * norm.cdf(-d1)


def implied(contract, spot, years):
    middle = (contract["bid"] + contract["ask"]) / 2
    try:
        return brentq(lambda v: bsm(contract["kind"], spot, contract["strike"], years, v) - middle, 1e-6, 10)
    except ValueError:
        return None


def options(chain):
    spot = chain["underlying_price"].iloc[0]
    calls, puts = chain[chain["kind"] == "call"], chain[chain["kind"] == "put"]
    unusual = chain[(chain["volume"] > 100) & (chain["volume"] > 2 * chain["open_interest"].fillna(1))]
    volatility = {}
    for name, side in (("call", calls), ("put", puts)):
        known = side["implied_volatility"]
        unknown = side[known.isna() & side["bid"].notna() & side["ask"].notna()]
        solved = [implied(row, spot, 30 / 365) for _, row in unknown.iterrows()]
        volatility[name] = np.mean([*known.dropna(), *(one for one in solved if one)])
    return {
        "metrics": {
            "put_call_ratio": puts["volume"].sum() / max(1, calls["volume"].sum()),
            "put_call_oi_ratio": puts["open_interest"].sum() / max(1, calls["open_interest"].sum()),
            "call_implied_volatility": volatility["call"], "put_implied_volatility": volatility["put"],
            "avg_implied_volatility": (volatility["call"] + volatility["put"]) / 2,
            "volatility_skew": volatility["put"] - volatility["call"],
            "unusual_call_count": int((unusual["kind"] == "call").sum()),
            "unusual_put_count": int((unusual["kind"] == "put").sum()),
            "total_call_volume": calls["volume"].sum(), "total_put_volume": puts["volume"].sum(),
        },
        "unusual_activity": unusual.nlargest(10, "volume")[["contract", "volume"]].to_dict("records"),
        "score": 5.0,
    }


def articles(news, vader):
    newest = news.tail(20)
    scores = [vader.polarity_scores(title)["compound"] for title in newest["title"]]
    return {
        "sentiment_score": float(np.mean(scores)), "articles_analyzed": len(scores),
        "top_articles": newest["title"].tail(5).tolist(), "score": 5 + 5 * float(np.mean(scores)),
    }


def macro(series):
    factors = {}
    for name, part in series.items():
        values = part["value"]
        factors[name] = {"value": values.iloc[-1], "change": values.diff().iloc[-1]}
        if len(values) > 12:
            factors[name]["year_on_year"] = values.pct_change(12).iloc[-1] * 100
    return {"factors": factors, "score": 5.0}


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One write an answer.
    wbufsize = -1
    market = None
    vader = SentimentIntensityAnalyzer()

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(self.analyze(request["asset"]["symbol"]), default=float).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def analyze(self, symbol):
        market = self.market
        bars = market.bars[symbol]
        benchmarks = {name: market.bars[name] for name in BENCHMARKS if name in market.bars and name != symbol}
        analyses = {
            "fundamentals": {"metrics": market.fundamentals[symbol].iloc[-1].to_dict(), "score": 5.0},
            "technical": technical(bars),
            "risk": risk(bars),
            "correlation": correlation(bars, benchmarks),
            "options": options(market.options[symbol]),
            "sentiment": articles(market.news[symbol], self.vader),
            "news": articles(market.news[symbol], self.vader),
            "macro": macro(market.macro),
        }
        overall = sum(WEIGHTS[name] * result["score"] for name, result in analyses.items())
        return {"asset": symbol, "analyses": analyses, "aggregate": {"overall_score": overall}}

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    Service.market = Market(sys.argv[2])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()
