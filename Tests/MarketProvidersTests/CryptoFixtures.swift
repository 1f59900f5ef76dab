/// Answers of exchanges and chains in their real shapes, written for these tests; the figures are made up.
enum CryptoFixtures {
    static let hash = [
        "a1", "b2", "c3", "d4",
    ].map { String(repeating: $0, count: 32) }
    /// Of Solana.
    static let signatures = ["5Sig", "4Sig"].map { String(repeating: $0, count: 22) }
    static let party = "0x" + String(repeating: "5a", count: 20)
    static let otherParty = "0x" + String(repeating: "7c", count: 20)

    static let binanceKlines = """
        [[1700000000000,"100.0","110.0","95.5","105.25","12.5",1700000059999,"1300.0",9,"6.0","650.0","0"],
        [1700000060000,"105.25","106.0","101.0","102.0","0.00000000",1700000119999,"0",0,"0","0","0"]]
        """
    static let binanceTicker = """
        {"symbol":"BTCUSDT","lastPrice":"43210.50","closeTime":1700000000123,"volume":"1.5"}
        """
    static let binanceDepth = """
        {"lastUpdateId":7,"bids":[["99.5","2"],["99.0","1"],["98.0","4"]],
        "asks":[["100.5","1"],["101.0","3"],["102.0","5"]]}
        """
    static let premiumIndex = """
        {"symbol":"BTCUSDT","markPrice":"43210.1","indexPrice":"43200.0","estimatedSettlePrice":"43205.0",
        "lastFundingRate":"-0.00125","interestRate":"0.0001","nextFundingTime":1700006400000,
        "time":1700000000456}
        """
    static let bybitKlines = """
        {"retCode":0,"retMsg":"OK","result":{"category":"linear","symbol":"BTCUSDT","list":[
        ["1700000060000","105.25","106","101","102","3","306"],
        ["1700000000000","100","110","95.5","105.25","12.5","1300"]]},"retExtInfo":{},"time":1700000061000}
        """
    static let bybitTicker = """
        {"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[{"symbol":"BTCUSDT",
        "lastPrice":"43210.5","fundingRate":"0.0004","nextFundingTime":"1700006400000",
        "fundingIntervalHour":"4","bid1Price":"43210"}]},"retExtInfo":{},"time":1700000000789}
        """
    static let bybitBook = """
        {"retCode":0,"retMsg":"OK","result":{"s":"BTCUSDT","b":[["99.5","2"],["99","1"]],
        "a":[["100.5","1"],["101","3"]],"ts":1700000000111,"u":1,"seq":2},"time":1700000000222}
        """
    static let okxCandles = """
        {"code":"0","msg":"","data":[
        ["1700000060000","105.25","106","101","102","3","306","306","0"],
        ["1700000000000","100","110","95.5","105.25","12.5","1300","1300","1"]]}
        """
    static let okxTicker = """
        {"code":"0","msg":"","data":[{"instType":"SPOT","instId":"BTC-USDT","last":"43210.5",
        "ts":"1700000000321"}]}
        """
    static let okxBook = """
        {"code":"0","msg":"","data":[{"asks":[["100.5","1","0","1"],["101","3","0","2"]],
        "bids":[["99.5","2","0","1"],["99","1","0","1"]],"ts":"1700000000654"}]}
        """
    static let okxFunding = """
        {"code":"0","msg":"","data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","method":"current_period",
        "fundingRate":"0.00025","nextFundingRate":"","fundingTime":"1700006400000",
        "nextFundingTime":"1700020800000","ts":"1700000000987"}]}
        """
    static let coinbaseCandles = """
        [[1700000060,101,106,105.25,102,3],[1700000000,95.5,110,100,105.25,12.5]]
        """
    static let coinbaseTicker = """
        {"trade_id":1,"price":"43210.5","size":"0.1","bid":"43210","ask":"43211","volume":"5",
        "time":"2023-11-14T22:13:20.506997Z"}
        """
    static let coinbaseBook = """
        {"bids":[["99.5","2",3],["99","1",1]],"asks":[["100.5","1",1],["101","3",2]],"sequence":1,
        "auction_mode":false,"auction":null,"time":"2023-11-14T22:13:20.5Z"}
        """

    static let krakenOHLC = """
        {"error":[],"result":{"XXBTZUSD":[
        [1700000000,"100.0","110.0","95.5","105.25","103.0","12.5",9],
        [1700000060,"105.25","106.0","101.0","102.0","103.0","3.0",4]],"last":1700000000}}
        """
    static let krakenTicker = """
        {"error":[],"result":{"XXBTZUSD":{"a":["43211.0","1","1.0"],"b":["43210.0","1","1.0"],
        "c":["43210.5","0.1"],"o":"43000.0"}}}
        """
    static let krakenDepth = """
        {"error":[],"result":{"XXBTZUSD":{"asks":[["100.5","1",1700000000],["101.0","3",1700000000]],
        "bids":[["99.5","2",1700000000],["99.0","1",1700000000]]}}}
        """

    static let latestBlock = #"{"hash":"\#(hash[0])","time":1700000000,"block_index":9,"height":9}"#
    /// A payment of 30 bitcoins, of which 29.5 go to one address, and the block's reward.
    static let rawBlock = """
        {"hash":"\(hash[0])","prev_block":"\(hash[1])","time":1700000000,"n_tx":2,"height":9,"tx":[
        {"hash":"\(hash[2])","time":1700000000,"inputs":[{"sequence":1,"prev_out":null}],
        "out":[{"value":625000000,"addr":"1Miner"},{"value":0,"script":"6a"}]},
        {"hash":"\(hash[3])","time":1700000000,
        "inputs":[{"prev_out":{"addr":"1Payer","value":3000100000}},{"prev_out":{"addr":"1Other"}}],
        "out":[{"value":50000000,"addr":"1Change"},{"value":2950000000,"addr":"1Payee"}]}]}
        """
    static let tipHash = hash[0]
    static let esploraBlock = """
        {"id":"\(hash[0])","height":9,"timestamp":1700000000,"tx_count":2,"size":700,
        "previousblockhash":"\(hash[1])","mediantime":1699999000}
        """
    static let esploraPage = """
        [{"txid":"\(hash[2])","vin":[{"is_coinbase":true,"prevout":null}],
        "vout":[{"scriptpubkey_address":"1Miner","value":625000000},{"scriptpubkey":"6a","value":0}]},
        {"txid":"\(hash[3])","vin":[{"prevout":{"scriptpubkey_address":"1Payer","value":3000100000}}],
        "vout":[{"scriptpubkey_address":"1Change","value":50000000},
        {"scriptpubkey_address":"1Payee","value":2950000000}],
        "status":{"confirmed":true,"block_time":1700000000}}]
        """

    static let blockNumber = #"{"jsonrpc":"2.0","id":1,"result":"0x11a2b3c"}"#
    /// 1,234.5 ether, and a contract that is made.
    static let ethereumBlock = """
        {"jsonrpc":"2.0","id":1,"result":{"number":"0x64","hash":"0x\(hash[0])","parentHash":"0x\(hash[1])",
        "timestamp":"0x6553f100","transactions":[
        {"hash":"0x\(hash[2])","from":"\(party)","to":"\(otherParty)","value":"0x42ec210956b3ba0000"},
        {"hash":"0x\(hash[3])","from":"\(party)","to":null,"value":"0x0"}]}}
        """
    /// 2,000,000.5 and 1 USDT in one transaction.
    static let logs = """
        {"jsonrpc":"2.0","id":1,"result":[\(log(units: "1d1a951c120", index: 0)),
        \(log(units: "f4240", index: 1))]}
        """
    static let whales = """
        {"result":"success","cursor":"c","count":2,"transactions":[
        {"blockchain":"solana","symbol":"sol","id":"2","transaction_type":"transfer",
        "hash":"\(signatures[0])",
        "from":{"address":"abc","owner":"kraken","owner_type":"exchange"},
        "to":{"address":"def","owner_type":"unknown"},"timestamp":1700000060,"amount":50000.5,
        "amount_usd":3000030},
        {"blockchain":"solana","symbol":"sol","id":"1","transaction_type":"transfer",
        "hash":"\(signatures[1])",
        "from":{"address":"ghi"},"to":{"address":"jkl"},"timestamp":1700000000,"amount":20000,
        "amount_usd":1200000}]}
        """

    static func log(units: String, index: Int, block: String = "0x64", hash: String = hash[2]) -> String {
        let padding = String(repeating: "0", count: 24)
        let topic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
        let data = String(repeating: "0", count: 64 - units.count) + units
        return """
            {"address":"0xdAC17F958D2ee523a2206206994597C13D831ec7","topics":["\(topic)",
            "0x\(padding)\(party.dropFirst(2))","0x\(padding)\(otherParty.dropFirst(2))"],
            "data":"0x\(data)","blockNumber":"\(block)","transactionHash":"0x\(hash)",
            "logIndex":"0x\(index)","removed":false}
            """
    }
}
