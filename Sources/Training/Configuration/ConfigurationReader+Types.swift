import Foundation
import Yams

// The kinds of values that configurations are made of.

extension ConfigurationReader {
  func integer(_ path: String, default fallback: Int, in range: ClosedRange<Int>) -> Int {
    value(
      path, default: fallback, ConfigurationReader.words(for: range),
      parse: { ConfigurationReader.integer($0, in: range) }, text: { String($0) })
  }

  func optionalInteger(_ path: String, in range: ClosedRange<Int>) -> Int? {
    optional(
      path, ConfigurationReader.words(for: range),
      parse: { ConfigurationReader.integer($0, in: range) }, text: { String($0) })
  }

  func requiredInteger(_ path: String, in range: ClosedRange<Int>) -> Int? {
    required(
      path, ConfigurationReader.words(for: range),
      parse: { ConfigurationReader.integer($0, in: range) }, text: { String($0) })
  }

  func number(_ path: String, default fallback: Double, in range: ClosedRange<Double>) -> Double {
    value(
      path, default: fallback, ConfigurationReader.words(for: range),
      parse: { ConfigurationReader.number($0, in: range) }, text: { "\($0)" })
  }

  func optionalNumber(_ path: String, in range: ClosedRange<Double>) -> Double? {
    optional(
      path, ConfigurationReader.words(for: range),
      parse: { ConfigurationReader.number($0, in: range) }, text: { "\($0)" })
  }

  func requiredNumber(_ path: String, in range: ClosedRange<Double>) -> Double? {
    required(
      path, ConfigurationReader.words(for: range),
      parse: { ConfigurationReader.number($0, in: range) }, text: { "\($0)" })
  }

  func boolean(_ path: String, default fallback: Bool) -> Bool {
    value(path, default: fallback, "true or false", parse: { $0.bool }) { "\($0)" }
  }

  func string(_ path: String, default fallback: String) -> String {
    value(path, default: fallback, "a text", parse: { $0.string }, text: ConfigurationReader.quote)
  }

  func requiredString(_ path: String, _ expectation: String) -> String? {
    required(path, expectation, parse: { $0.string }, text: ConfigurationReader.quote)
  }

  /// One of the cases of an enumeration, by its raw value.
  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ path: String, default fallback: Choice
  ) -> Choice {
    value(
      path, default: fallback, Choice.allCases.map(\.rawValue).joined(separator: " or "),
      parse: { $0.string.flatMap(Choice.init(rawValue:)) }, text: { $0.rawValue })
  }

  /// One of `names`; nil, and a fault, if something else is written.
  func name(_ path: String, default fallback: String, among names: [String]) -> String? {
    let faultsBefore = faults.count
    let name = value(
      path, default: fallback, names.joined(separator: " or "),
      parse: { node in node.string.flatMap { names.contains($0) ? $0 : nil } }, text: { $0 })
    return faults.count == faultsBefore ? name : nil
  }

  func requiredChoice<Choice: RawRepresentable<String> & CaseIterable>(
    _ path: String, _ type: Choice.Type
  ) -> Choice? {
    required(
      path, Choice.allCases.map(\.rawValue).joined(separator: " or "),
      parse: { $0.string.flatMap(Choice.init(rawValue:)) }, text: { $0.rawValue })
  }

  static func integer(_ node: Node, in range: ClosedRange<Int>) -> Int? {
    guard !isSexagesimal(node), let value = node.int, range.contains(value) else { return nil }
    return value
  }

  /// A finite number: an infinity is of no use anywhere, and its text would not read back.
  static func number(_ node: Node, in range: ClosedRange<Double>) -> Double? {
    guard !isSexagesimal(node), let value = node.float, value.isFinite, range.contains(value) else {
      return nil
    }
    return value
  }

  /// YAML 1.1 reads 1:30 as 90, which nobody means; and Yams traps where such a number overflows.
  private static func isSexagesimal(_ node: Node) -> Bool {
    node.scalar?.string.contains(":") ?? false
  }

  /// A text as a YAML scalar that reads back as the same text.
  static func quote(_ text: String) -> String {
    let plain = text.allSatisfy { $0.isLetter || $0.isNumber || "/._-".contains($0) }
    if plain, !text.isEmpty, Node(text).int == nil, Node(text).float == nil, Node(text).bool == nil,
      text.lowercased() != "null", !text.hasPrefix("-")
    {
      return text
    }
    if text.unicodeScalars.allSatisfy(isPrintable) {
      return "'" + text.replacingOccurrences(of: "'", with: "''") + "'"
    }
    let escaped = text.unicodeScalars.map { scalar in
      if scalar == "\"" || scalar == "\\" { return "\\\(scalar)" }
      if isPrintable(scalar) { return "\(scalar)" }
      let digits = String(scalar.value, radix: 16)
      return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
    }
    return "\"" + escaped.joined() + "\""
  }

  /// Whether a YAML text may contain a scalar as it is, and it does not break the line.
  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD,
      0x10000...0x10FFFF:
      true
    default: false
    }
  }

  private static func words(for range: ClosedRange<Int>) -> String {
    range.upperBound == .max
      ? "a whole number of at least \(range.lowerBound)"
      : "a whole number from \(range.lowerBound) to \(range.upperBound)"
  }

  private static func words(for range: ClosedRange<Double>) -> String {
    switch (range.lowerBound, range.upperBound) {
    case (-.infinity, .infinity): "a number"
    case (let low, .infinity): "a number of at least \(low)"
    case (let low, let high): "a number from \(low) to \(high)"
    }
  }
}
