import CCurl

/// One request on its way, on the client's thread: an easy handle of libcurl and what has come so far.
final class Transfer {
    /// All fields together; those of earlier answers of the same request (redirects, 100) count too.
    private static let maxFieldBytes = 65_536
    private static let maxRedirects = 3
    /// How long a connection may take, TLS included.
    private static let connectLimit = Duration.seconds(5)

    let id: UInt64
    let handle: UnsafeMutableRawPointer
    let deadline: ContinuousClock.Instant
    private let answer: WebAnswer
    private let startedAt = ContinuousClock.now
    private let maxBytes: Int
    private let mayBeRedirected: Bool
    private var address: WebAddress
    private var requestFields: UnsafeMutablePointer<curl_slist>?
    private var redirects = 0
    private var fieldBytes = 0
    private var fields: [String: String] = [:]
    private var body: [UInt8] = []
    private var isTooLarge = false

    /// nil without memory for another handle.
    init?(_ id: UInt64, _ request: WebRequest, to address: WebAddress, _ answer: WebAnswer) {
        guard let handle = curl_easy_init() else { return nil }
        self.id = id
        self.handle = handle
        self.answer = answer
        self.address = address
        maxBytes = request.maxBytes
        deadline = startedAt + request.timeLimit
        // A POST is not sent again to where a redirect points: nobody does that to an API of questions.
        mayBeRedirected = request.followsRedirects && request.body == nil
        for field in request.fields {
            // With ";" an empty field is sent; with ":" and no value libcurl would leave it out.
            let line = field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)"
            requestFields = curl_slist_append(requestFields, line) ?? requestFields
        }
        setLimits(timeLimit: request.timeLimit)
        setCallbacks()
        _ = curl_set_pointer(handle, CURLOPT_HTTPHEADER, requestFields)
        if let body = request.body {
            _ = curl_set_long(handle, CURLOPT_POST, 1)
            // The size comes first, and libcurl keeps its own copy.
            _ = curl_set_long(handle, CURLOPT_POSTFIELDSIZE, body.count)
            _ = body.withUnsafeBytes { curl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, $0.baseAddress) }
        }
        set(url: request.url)
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(requestFields)
    }

    /// What libcurl does by itself, bounded; see curl_easy_setopt(3).
    private func setLimits(timeLimit: Duration) {
        _ = curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        // Without it the thread would wait for a name that does not resolve after its request is over.
        _ = curl_set_long(handle, CURLOPT_QUICK_EXIT, 1)
        _ = curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, min(timeLimit, Self.connectLimit).milliseconds)
        // Empty: every content coding that libcurl was built with.
        set(CURLOPT_ACCEPT_ENCODING, "")
    }

    private func set(url: String) {
        set(CURLOPT_URL, url)
        // Also for where a redirect points: HTTPS never leads back to HTTP.
        set(CURLOPT_PROTOCOLS_STR, address.isSecure ? "https" : "http,https")
        // Empty: no proxy, also where the environment names one: it could not reach this machine's loopback.
        set(CURLOPT_PROXY, address.isLoopback ? "" : nil)
    }

    private func set(_ option: CURLoption, _ text: String?) {
        // libcurl keeps its own copy. None is set where the option is its default.
        guard let text else {
            _ = curl_set_pointer(handle, option, nil)
            return
        }
        _ = text.withCString { curl_set_pointer(handle, option, $0) }
    }

    /// The context of the callbacks is this object, not retained: libcurl calls them only while the handle is
    /// in the loop's multi handle, and the loop holds this object until it has taken the handle out.
    private func setCallbacks() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        _ = curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        _ = curl_set_function(handle, CURLOPT_HEADERFUNCTION) { bytes, _, count, context in
            guard let bytes, let context else { return 0 }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            return transfer.take(field: UnsafeRawBufferPointer(start: bytes, count: count))
        }
        _ = curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        _ = curl_set_function(handle, CURLOPT_WRITEFUNCTION) { bytes, _, count, context in
            guard let bytes, let context else { return 0 }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            return transfer.take(content: UnsafeRawBufferPointer(start: bytes, count: count))
        }
    }

    /// Takes a line of an answer's head. How many bytes were taken; fewer than came end the transfer.
    private func take(field line: UnsafeRawBufferPointer) -> Int {
        fieldBytes += line.count
        guard fieldBytes <= Self.maxFieldBytes else {
            isTooLarge = true
            return 0
        }
        if line.starts(with: "HTTP/".utf8) {
            // The status line of the next answer: an interim one came before (RFC 9110 section 15.2).
            fields = [:]
        } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = String(decoding: line[(colon + 1)...].trimmed, as: UTF8.self)
            fields[name] = fields[name].map { "\($0), \(value)" } ?? value
        }
        return line.count
    }

    /// Takes some of the content, decompressed already, at most 16 KiB at a time.
    private func take(content: UnsafeRawBufferPointer) -> Int {
        guard body.count + content.count <= maxBytes else {
            isTooLarge = true
            return 0
        }
        body.append(contentsOf: content)
        return content.count
    }

    // MARK: - The end

    /// Makes the handle ready for where the answer points, if it points somewhere that may be asked.
    func followsRedirect() -> Bool {
        var target: UnsafePointer<CChar>?
        guard mayBeRedirected, redirects < Self.maxRedirects,
            curl_get_string(handle, CURLINFO_REDIRECT_URL, &target) == CURLE_OK, let target
        else { return false }
        let url = String(cString: target)
        guard let next = WebAddress(url), next.isSecure || !address.isSecure else { return false }
        // The fields may hold a key, which is for the server that was asked and for nobody else.
        if next.origin != address.origin {
            _ = curl_set_pointer(handle, CURLOPT_HTTPHEADER, nil)
        }
        redirects += 1
        address = next
        body = []
        set(url: url)
        return true
    }

    /// Answers with what has come, after libcurl has done its part.
    func finish(_ code: CURLcode) {
        guard code == CURLE_OK else { return fail(error(code)) }
        var status = 0
        _ = curl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
        let elapsed = startedAt.duration(to: .now)
        answer.resume(
            returning: .success(WebResponse(status: status, body: body, elapsed: elapsed, fields: fields)))
    }

    /// Answers that there is no answer.
    func fail(_ error: WebError) {
        answer.resume(returning: .failure(error))
    }

    private func error(_ code: CURLcode) -> WebError {
        if isTooLarge { return .tooLarge }
        return switch code {
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        case CURLE_URL_MALFORMAT: .badURL
        // What has no status line at all is HTTP/0.9 for libcurl, and that is a protocol not supported.
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY: .unreachable("the answer is not HTTP")
        default: .unreachable(String(cString: curl_easy_strerror(code)))
        }
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, from 1 to those of a day.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        guard seconds < 86_400 else { return 86_400_000 }
        return max(1, Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000) + 1)
    }
}

extension Slice<UnsafeRawBufferPointer> {
    /// Without whitespace and line ends around it.
    fileprivate var trimmed: Self {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        guard let start = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) })
        else { return self[endIndex...] }
        return self[start...last]
    }
}
