import Foundation
import Yams

/// A length of time as a person writes it, to the microsecond: `90`, which are seconds, `45s`, `10m`
/// or `1h30m`.
public struct TimeSpan: Equatable, Sendable, CustomStringConvertible {
  public var seconds: Double

  private static let units: [(name: Character, seconds: Double)] = [
    ("d", 86400), ("h", 3600), ("m", 60), ("s", 1),
  ]

  public init(seconds: Double) { self.seconds = seconds }

  /// Nil unless `text` is a number, or numbers with units from the largest to the smallest.
  init?(_ text: String) {
    var rest = text[...]
    var units = TimeSpan.units[...]
    seconds = 0
    repeat {
      let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
      guard let number = Double(digits), digits.first != ".", digits.last != "." else { return nil }
      rest = rest[digits.endIndex...]
      guard let name = rest.popFirst() else {
        // Without a unit, it must be all there is.
        guard digits.count == text.count else { return nil }
        seconds = number
        break
      }
      guard let index = units.firstIndex(where: { $0.name == name }) else { return nil }
      seconds += number * units[index].seconds
      units = units[(index + 1)...]
    } while !rest.isEmpty
    seconds = (seconds * 1e6).rounded() / 1e6
    guard seconds.isFinite else { return nil }
  }

  /// Reads back as the same length.
  public var description: String {
    guard seconds >= 60, seconds == seconds.rounded(), seconds < 1e15 else {
      let digits = String(format: "%.6f", seconds)
      return String(digits.reversed().drop { $0 == "0" }.drop { $0 == "." }.reversed()) + "s"
    }
    var rest = Int(seconds)
    var text = ""
    for unit in TimeSpan.units {
      let count = rest / Int(unit.seconds)
      if count > 0 { text += "\(count)\(unit.name)" }
      rest -= count * Int(unit.seconds)
    }
    return text
  }
}

extension ConfigurationReader {
  /// A length of time that is more than nothing, or nil if none is written.
  func optionalTimeSpan(_ path: String) -> TimeSpan? {
    optional(
      path, "a time of more than 0 such as 90, 10m or 1h30m",
      parse: { node in
        guard let span = node.scalar.flatMap({ TimeSpan($0.string) }), span.seconds > 0 else {
          return nil
        }
        return span
      }, text: { "\($0)" })
  }
}
