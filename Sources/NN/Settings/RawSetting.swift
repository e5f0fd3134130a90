/// A setting as a user writes it, whatever the format of the file that it comes from: what layers and
/// losses are configured with.
///
/// In Swift it is written as a literal: `["filters": 32, "padding": "same"]`.
public struct RawSetting: Sendable {
  public indirect enum Content: Equatable, Sendable {
    /// Nothing was written.
    case none
    case flag(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([RawSetting])
    case map([Entry])
  }

  /// A key of a map, and what belongs to it.
  public struct Entry: Equatable, Sendable {
    public var key: String
    public var value: RawSetting

    public init(key: String, value: RawSetting) {
      self.key = key
      self.value = value
    }
  }

  public var value: Content
  /// By what the one who read the file finds the line again, to name it in a message.
  public var place: Int

  public init(_ value: Content, place: Int = 0) {
    self.value = value
    self.place = place
  }
}

extension RawSetting: Equatable {
  /// Where it was written does not count.
  public static func == (a: RawSetting, b: RawSetting) -> Bool { a.value == b.value }
}

extension RawSetting: CustomStringConvertible {
  /// As flow-style YAML, on one line.
  public var description: String {
    switch value {
    case .none: "null"
    case .flag(let flag): "\(flag)"
    case .integer(let integer): "\(integer)"
    case .number(let number): "\(number)"
    case .text(let text): text
    case .list(let items): "[" + items.map(\.description).joined(separator: ", ") + "]"
    case .map(let entries):
      "{" + entries.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}"
    }
  }

  /// What it is, for a message.
  public var found: String {
    switch value {
    case .none: "nothing"
    case .list: "a list"
    case .map: "a section"
    default: "'\(description)'"
    }
  }
}

extension RawSetting: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  public init(integerLiteral value: Int) { self.init(.integer(value)) }
  public init(floatLiteral value: Double) { self.init(.number(value)) }
  public init(booleanLiteral value: Bool) { self.init(.flag(value)) }
  public init(stringLiteral value: String) { self.init(.text(value)) }
  public init(arrayLiteral elements: RawSetting...) { self.init(.list(elements)) }
  public init(dictionaryLiteral elements: (String, RawSetting)...) {
    self.init(.map(elements.map { Entry(key: $0.0, value: $0.1) }))
  }
}

/// Something that is wrong with settings, and where it was written.
public struct SettingFault: Error, Equatable, CustomStringConvertible {
  /// The setting's `place`.
  public var place: Int
  public var description: String
}
