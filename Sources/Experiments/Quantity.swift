import Foundation

/// Quantities with units, as a command line has them: a decimal number and a unit.
public enum Quantity {
  /// `4096`, `64K`, `100M`, `1.5G` or `64KiB`: powers of 1024, as nccl-tests reads sizes.
  public static func bytes(_ text: String) throws(QuantityError) -> Int {
    let units: [Unit] = [
      ("", 1), ("K", 0x1p10), ("M", 0x1p20), ("G", 0x1p30),
      ("KiB", 0x1p10), ("MiB", 0x1p20), ("GiB", 0x1p30),
    ]
    let value = try value(text, of: "a size", in: units, example: "64K or 100M")
    guard value == value.rounded(), value <= 0x1p50 else {
      throw QuantityError("'\(text)' is not a whole number of bytes up to 2^50")
    }
    return Int(value)
  }

  /// `500ns`, `2us`, `1.5ms` or `1s`, in seconds.
  public static func seconds(_ text: String) throws(QuantityError) -> Double {
    try value(
      text, of: "a time", in: [("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1)], example: "2us")
  }

  /// `12.5GB/s` or `100Gbit/s`, in bytes per second: powers of 1000, as networks are sold.
  public static func bytesPerSecond(_ text: String) throws(QuantityError) -> Double {
    let units: [Unit] = [
      ("B/s", 1), ("KB/s", 1e3), ("MB/s", 1e6), ("GB/s", 1e9), ("Mbit/s", 1e6 / 8),
      ("Gbit/s", 1e9 / 8),
    ]
    let value = try value(text, of: "a bandwidth", in: units, example: "12.5GB/s or 100Gbit/s")
    guard value > 0 else { throw QuantityError("a bandwidth is more than nothing") }
    return value
  }

  /// Several quantities or numbers, separated by commas; at least one.
  public static func list<Value>(
    _ text: String, _ read: (String) throws -> Value
  ) throws -> [Value] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { try read(String($0)) }
  }

  /// Three digits and the unit that suits them: `43.6 ms`.
  public static func text(seconds: Double) -> String {
    guard seconds > 0 else { return "0 s" }
    let units: [Unit] = [("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1)]
    // 999.5 ns would be written as 1000 ns.
    let unit = units.first { seconds < 999.5 * $0.factor } ?? units.last!
    let value = seconds / unit.factor
    let digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
    return String(format: "%.\(digits)f \(unit.name)", value)
  }

  /// Three digits and the unit that suits them, a power of 1024: `2.04 MiB`.
  public static func text(bytes: Double) -> String {
    let units: [Unit] = [("B", 1), ("KiB", 0x1p10), ("MiB", 0x1p20), ("GiB", 0x1p30)]
    // 1023.5 B would be written as 1024 B.
    let unit = units.first { bytes < 1023.5 * $0.factor } ?? units.last!
    let value = bytes / unit.factor
    let digits = unit.factor == 1 || value >= 99.95 ? 0 : value < 9.995 ? 2 : 1
    return String(format: "%.\(digits)f \(unit.name)", value)
  }

  private typealias Unit = (name: String, factor: Double)

  private static func value(
    _ text: String, of kind: String, in units: [Unit], example: String
  ) throws(QuantityError) -> Double {
    let digits = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
    guard let number = Double(digits), number.isFinite, digits.first != ".", digits.last != "."
    else { throw QuantityError("'\(text)' is not \(kind) such as \(example)") }
    let name = text[digits.endIndex...].drop { $0 == " " }
    guard let unit = units.first(where: { $0.name == name }) else {
      let names = units.map(\.name).filter { !$0.isEmpty }.joined(separator: ", ")
      let found = name.isEmpty ? "'\(text)' has no unit" : "'\(name)' is not a unit of \(kind)"
      throw QuantityError("\(found); the units are \(names)")
    }
    return number * unit.factor
  }
}

/// A quantity that cannot be read, and how it is written.
public struct QuantityError: Error, Equatable, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}
