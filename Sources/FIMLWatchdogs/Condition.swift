import FIMLCore

/// Something that is wrong and has been told.
struct Condition: Hashable, Sendable {
    /// The condition with its newest figures, as it was or would be told last.
    var event: WatchdogEvent
    /// What is wrong about it, as `Judgement` says.
    var subject: String
    var discriminator: String
    /// From when its newest figures are.
    var observedAt: Timestamp
    /// When it was last told.
    var toldAt: Timestamp
    /// When it ends by itself; nil where it is judged again.
    var endsBy: Timestamp?
    /// Whether its subject flaps, so that it ends late.
    var isFlapping = false
    /// Since when its figures are as they should be, while it flaps.
    var calmSince: Timestamp?
}

extension Condition: JSONWritable {
    /// Writes it for what is kept with events; see `WatchdogNews.state`.
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("subject", subject)
        writer.member("discriminator", discriminator)
        writer.member("observed_at", observedAt)
        writer.member("told_at", toldAt)
        writer.member("ends_by", orNull: endsBy)
        writer.member("is_flapping", isFlapping)
        writer.member("calm_since", orNull: calmSince)
        writer.member("event", event)
        writer.endObject()
    }

    /// Reads what `write` wrote; nil for anything else.
    init?(_ json: JSONValue) {
        guard let subject = json["subject"]?.text, let discriminator = json["discriminator"]?.text,
            let observedAt = Self.time(json["observed_at"]), let toldAt = Self.time(json["told_at"]),
            let isFlapping = json["is_flapping"]?.boolean, let object = json["event"],
            let event = try? WatchdogEvent.parse(object, receivedAt: toldAt, newEventID: WatchdogEvent.newID)
        else { return nil }
        self.init(
            event: event, subject: subject, discriminator: discriminator, observedAt: observedAt,
            toldAt: toldAt, endsBy: Self.time(json["ends_by"]), isFlapping: isFlapping,
            calmSince: Self.time(json["calm_since"]))
    }

    private static func time(_ value: JSONValue?) -> Timestamp? {
        value?.text.flatMap { Timestamp(rfc3339: $0) }
    }
}
