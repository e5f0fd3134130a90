/// Reads JSON (RFC 8259) of the kind that headers are made of: objects, arrays, strings and natural
/// numbers, each where it is expected. What is not quite JSON is refused, and so are keys that
/// appear twice, which JSON leaves open.
struct HeaderScanner {
  /// What is wrong, in words.
  struct Fault: Error {
    var reason: String
  }

  private let bytes: [UInt8]
  private(set) var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// - Parameter member: reads the value of a key.
  mutating func object(_ member: (inout HeaderScanner, String) throws(Fault) -> Void) throws(Fault)
  {
    var keys: Set<String> = []
    try list(from: "{", to: "}") { scanner throws(Fault) in
      let key = try scanner.string()
      guard keys.insert(key).inserted else { throw Fault(reason: "'\(key)' is there twice") }
      try scanner.expect(":")
      try member(&scanner, key)
    }
  }

  mutating func numbers() throws(Fault) -> [Int] {
    var numbers: [Int] = []
    try list(from: "[", to: "]") { scanner throws(Fault) in numbers.append(try scanner.number()) }
    return numbers
  }

  /// The end, behind nothing but white space.
  mutating func end() throws(Fault) {
    skipSpace()
    guard position == bytes.count else { throw fault("expected the end") }
  }

  /// A number from 0 to the largest `Int`, without sign, fraction and exponent.
  private mutating func number() throws(Fault) -> Int {
    skipSpace()
    let start = position
    var value = 0
    while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
      guard !overflow, !carry else { throw fault("a number is too large") }
      value = sum
      position += 1
    }
    let digits = position - start
    guard digits > 0, digits == 1 || bytes[start] != UInt8(ascii: "0") else {
      throw fault("expected a natural number")
    }
    return value
  }

  mutating func string() throws(Fault) -> String {
    try expect("\"")
    var text: [UInt8] = []
    while let byte = peek {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        // Unlike `String(decoding:as:)` this one refuses what is not UTF-8.
        guard let string = String(validating: text, as: UTF8.self) else {
          throw fault("a text is not UTF-8")
        }
        return string
      case UInt8(ascii: "\\"): text += String(try escape()).utf8
      case 0..<0x20: throw fault("a text has a control character")
      default: text.append(byte)
      }
    }
    throw fault("a text has no end")
  }

  /// What stands behind a backslash.
  private mutating func escape() throws(Fault) -> Unicode.Scalar {
    guard let byte = peek else { throw fault("a text has no end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try codeUnit()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      guard 0xD800..<0xDC00 ~= unit, peek == UInt8(ascii: "\\") else { break }
      position += 1
      guard peek == UInt8(ascii: "u") else { break }
      position += 1
      let low = try codeUnit()
      guard 0xDC00..<0xE000 ~= low else { break }
      return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))!
    default: break
    }
    throw fault("a text has an escape that JSON does not know")
  }

  /// Four hexadecimal digits.
  private mutating func codeUnit() throws(Fault) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw fault("a text has an escape that JSON does not know")
      }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }

  private mutating func list(
    from open: Unicode.Scalar, to close: Unicode.Scalar,
    element: (inout HeaderScanner) throws(Fault) -> Void
  ) throws(Fault) {
    try expect(open)
    skipSpace()
    if peek == UInt8(ascii: close) {
      position += 1
      return
    }
    while true {
      try element(&self)
      skipSpace()
      if peek == UInt8(ascii: close) {
        position += 1
        return
      }
      try expect(",")
    }
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
    skipSpace()
    guard peek == UInt8(ascii: character) else { throw fault("expected '\(character)'") }
    position += 1
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func fault(_ reason: String) -> Fault {
    Fault(reason: "\(reason) at byte \(position) of the header")
  }
}
