/// Reads the settings of one layer or loss, one key at a time, and keeps a record of it: what was
/// read is what exists. Whatever is left over is unknown; whatever is wrong is collected, not
/// thrown, and reading goes on with a value that fits.
public final class SettingReader {
  /// What the settings belong to, for messages: `layer 3 (conv)`.
  let subject: String
  /// Where it stands among the layers: `3`.
  let number: String
  /// What was read, with every default filled in.
  private(set) var resolved: [RawSetting.Entry] = []
  private(set) var faults: [SettingFault] = []

  private let entries: [RawSetting.Entry]
  private let place: Int
  private let example: String

  /// - Parameters:
  ///   - main: the key that a value stands for which is written without one: with `units`,
  ///     `{dense: 512}` is `{dense: {units: 512}}`.
  ///   - example: how it is written, for messages.
  init(
    _ setting: RawSetting, of subject: String, number: String = "", main: String?, example: String
  ) {
    self.subject = subject
    self.number = number
    self.example = example
    place = setting.place
    switch (setting.value, main) {
    case (.none, _): entries = []
    case (.map(let entries), _): self.entries = entries
    case (_, let main?): entries = [RawSetting.Entry(key: main, value: setting)]
    case (_, nil):
      entries = []
      fault(place, "expected \(example), found \(setting.found)")
    }
  }

  /// Reads a value; `fallback` where there is none, and a fault if that is nil.
  /// - Parameters:
  ///   - expectation: what `parse` accepts, in words, for the message.
  ///   - parse: nil if the setting does not fit.
  ///   - stopgap: what to go on with after a fault.
  func value<Value>(
    _ key: String, default fallback: Value?, _ expectation: String, stopgap: Value,
    parse: (RawSetting) -> Value?, record: (Value) -> RawSetting
  ) -> Value {
    let written = entries.last { $0.key == key }?.value
    var value = fallback
    if let written, written.value != .none {
      value = parse(written)
      if value == nil {
        fault(written.place, "\(key): expected \(expectation), found \(written.found)")
      }
    } else if fallback == nil {
      fault(written?.place ?? place, "\(key) is missing: expected \(example)")
    }
    resolved.append(RawSetting.Entry(key: key, value: record(value ?? stopgap)))
    return value ?? stopgap
  }

  func fault(_ place: Int, _ reason: String) {
    faults.append(SettingFault(place: place, description: "\(subject): \(reason)"))
  }

  /// Takes over the faults of settings within these.
  func add(_ faults: [SettingFault]) { self.faults += faults }

  /// Adds a fault for every key that was not asked for. Call it after the last value.
  func refuseUnknownKeys() {
    let known = resolved.map(\.key)
    for entry in entries where !known.contains(entry.key) {
      let hint =
        Suggestion.nearest(to: entry.key, among: known).map { "did you mean '\($0)'?" }
        ?? (known.isEmpty ? "there are none" : "there are \(known.joined(separator: ", "))")
      fault(entry.value.place, "unknown setting '\(entry.key)'; \(hint)")
    }
  }
}

// The kinds of values that settings are made of. Without a default a value must be there.

extension SettingReader {
  public func integer(
    _ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>
  ) -> Int {
    value(
      key, default: fallback, words(for: range), stopgap: range.lowerBound,
      parse: { SettingReader.integer($0, in: range) }, record: { RawSetting(.integer($0)) })
  }

  public func number(
    _ key: String, default fallback: Double? = nil, in range: ClosedRange<Double>
  ) -> Double {
    value(
      key, default: fallback, "a number from \(range.lowerBound) to \(range.upperBound)",
      stopgap: range.lowerBound,
      parse: { setting in
        let number: Double
        switch setting.value {
        case .integer(let integer): number = Double(integer)
        case .number(let value): number = value
        default: return nil
        }
        return range.contains(number) ? number : nil
      },
      record: { RawSetting(.number($0)) })
  }

  public func flag(_ key: String, default fallback: Bool) -> Bool {
    value(
      key, default: fallback, "true or false", stopgap: fallback,
      parse: { if case .flag(let flag) = $0.value { flag } else { nil } },
      record: { RawSetting(.flag($0)) })
  }

  /// One of the cases of an enumeration, by its raw value.
  public func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ key: String, default fallback: Choice
  ) -> Choice {
    value(
      key, default: fallback, Choice.allCases.map(\.rawValue).joined(separator: " or "),
      stopgap: fallback,
      parse: { if case .text(let text) = $0.value { Choice(rawValue: text) } else { nil } },
      record: { RawSetting(.text($0.rawValue)) })
  }

  /// `count` whole numbers, or one for all of them: `3` or `[3, 5]`.
  public func integers(
    _ key: String, count: Int, default fallback: [Int]? = nil, in range: ClosedRange<Int>
  ) -> [Int] {
    value(
      key, default: fallback, "\(words(for: range)), or a list of \(count)",
      stopgap: Array(repeating: range.lowerBound, count: count),
      parse: { SettingReader.integers($0, count: count, in: range) },
      record: { values in RawSetting(.list(values.map { RawSetting(.integer($0)) })) })
  }

  static func integers(
    _ setting: RawSetting, count: Int, in range: ClosedRange<Int>
  ) -> [Int]? {
    if let one = integer(setting, in: range) { return Array(repeating: one, count: count) }
    guard case .list(let items) = setting.value, items.count == count else { return nil }
    let values = items.compactMap { integer($0, in: range) }
    return values.count == count ? values : nil
  }

  private static func integer(_ setting: RawSetting, in range: ClosedRange<Int>) -> Int? {
    guard case .integer(let value) = setting.value, range.contains(value) else { return nil }
    return value
  }

  private func words(for range: ClosedRange<Int>) -> String {
    "a whole number from \(range.lowerBound) to \(range.upperBound)"
  }
}
