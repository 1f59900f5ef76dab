/// Where a server finds its certificate and its key, both PEM.
struct Certificate {
    let certificateFile: String
    let keyFile: String

    /// As `scripts/bench` makes them.
    init(directory: String) {
        certificateFile = "\(directory)/certificate.pem"
        keyFile = "\(directory)/key.pem"
    }
}
