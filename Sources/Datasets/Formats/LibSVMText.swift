/// Reads the text of LIBSVM's format into sparse features and one label a sample.
struct LibSVMText {
  private(set) var features = SparseFeatures()
  private var labels: [Double] = []
  /// The line of each sample.
  private var lines: [Int] = []

  private let bytes: UnsafeRawBufferPointer
  private let path: String
  private let indexBase: Int
  private let featureCount: Int?
  private var place = 0
  private var line = 1

  init(_ bytes: UnsafeRawBufferPointer, path: String, indexBase: Int, features: Int?) {
    self.bytes = bytes
    self.path = path
    self.indexBase = indexBase
    featureCount = features
  }

  /// Reads all lines.
  /// - Throws: `DatasetError` for the first line that is not as it should be.
  mutating func read() throws {
    while place < bytes.count {
      try readLine()
      while place < bytes.count, bytes[place] != UInt8(ascii: "\n") { place += 1 }
      place += 1
      line += 1
    }
  }

  private mutating func readLine() throws {
    guard let label = nextWord() else { return }
    guard let number = DecimalNumber.parse(label) else {
      throw fault(
        label.contains(UInt8(ascii: ","))
          ? "'\(text(label))' are several labels, and a sample has one"
          : "expected a label, found '\(text(label))': a line is 'label index:value index:value ...'"
      )
    }
    labels.append(number)
    lines.append(line)
    var previous = -1
    var isFirst = true
    while let word = nextWord() {
      defer { isFirst = false }
      if word.starts(with: "qid:".utf8) {
        guard isFirst, natural(word.dropFirst(4)) != nil else {
          throw fault("'\(text(word))': qid is a whole number, once, behind the label")
        }
        continue
      }
      previous = try readFeature(word, behind: previous)
    }
    features.endSample()
  }

  /// Returns the feature's column.
  private mutating func readFeature(
    _ word: Slice<UnsafeRawBufferPointer>, behind previous: Int
  ) throws -> Int {
    guard let colon = word.firstIndex(of: UInt8(ascii: ":")) else {
      throw fault("expected index:value, found '\(text(word))'")
    }
    guard let index = natural(word[..<colon]) else {
      throw fault("'\(text(word))': an index is a whole number")
    }
    guard index >= indexBase else {
      throw fault("index 0, where the first is 1: if it is 0 in this file, set data.index-base: 0")
    }
    let column = index - indexBase
    guard column < Int32.max else {
      throw fault("index \(index) is too large: it stays below 2^31")
    }
    if let featureCount, column >= featureCount {
      throw fault(
        "index \(index) is beyond data.features: \(featureCount), from \(indexBase) to "
          + "\(featureCount - 1 + indexBase)")
    }
    guard column > previous else {
      throw fault("index \(index) behind \(previous + indexBase): indices ascend within a line")
    }
    guard let value = DecimalNumber.parse(word[word.index(after: colon)...]).map(Float.init),
      value.isFinite
    else { throw fault("'\(text(word))': a value is a finite number") }
    if value != 0 { features.append(column: Int32(column), value: value) }
    return column
  }

  /// The next word of the line, up to a blank, a comment or the line's end.
  private mutating func nextWord() -> Slice<UnsafeRawBufferPointer>? {
    while place < bytes.count, LibSVMText.isBlank(bytes[place]) { place += 1 }
    let start = place
    while place < bytes.count, !LibSVMText.isBlank(bytes[place]),
      bytes[place] != UInt8(ascii: "\n"), bytes[place] != UInt8(ascii: "#")
    {
      place += 1
    }
    return start == place ? nil : bytes[start..<place]
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }

  /// Digits as a number; one that is too large for anything here is 10^17.
  private func natural(_ word: Slice<UnsafeRawBufferPointer>) -> Int? {
    guard !word.isEmpty else { return nil }
    var value = 0
    for byte in word {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      value = min(10 * value + Int(byte - UInt8(ascii: "0")), 100_000_000_000_000_000)
    }
    return value
  }

  /// A word for a message: printable, and not too long.
  private func text(_ word: Slice<UnsafeRawBufferPointer>) -> String {
    let start = word.prefix(24).map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") }
    return String(decoding: start, as: UTF8.self) + (word.count > 24 ? "..." : "")
  }

  private func fault(_ reason: String, line: Int? = nil) -> DatasetError {
    DatasetError(.malformed, "\(path):\(line ?? self.line)", reason)
  }
}

// What labels become.
extension LibSVMText {
  /// - Throws: `DatasetError` if one is neither a class nor a sign.
  func classes() throws -> [Int32] {
    if labels.contains(-1) {
      return try mapped("-1 and +1, as others in this file") { $0 == -1 ? 0 : $0 == 1 ? 1 : nil }
        .map { Int32($0) }
    }
    return try mapped("a class: a whole number from 0 on, or -1 and +1") {
      $0 >= 0 && $0 < Double(Int32.max) && $0 == $0.rounded() ? $0 : nil
    }.map { Int32($0) }
  }

  /// - Throws: `DatasetError` if one is not what `kind` says.
  func values(_ kind: LibSVMDataset.Labels) throws -> [Float] {
    switch kind {
    case .classes: preconditionFailure("classes are no values")
    case .values: try mapped("a number in float32's range") { $0 }
    case .probabilities where labels.contains(-1):
      try mapped("-1 and +1, as others in this file") { $0 == -1 ? 0 : $0 == 1 ? 1 : nil }
    case .probabilities: try mapped("from 0 to 1, or -1 and +1") { (0...1).contains($0) ? $0 : nil }
    case .signs where labels.contains(0):
      try mapped("0 and 1, as others in this file") { $0 == 0 ? -1 : $0 == 1 ? 1 : nil }
    case .signs: try mapped("-1 and +1, or 0 and 1") { $0 == -1 || $0 == 1 ? $0 : nil }
    }
  }

  /// - Parameters:
  ///   - expectation: what labels have to be, for the message.
  ///   - value: nil for a label that is not.
  private func mapped(_ expectation: String, _ value: (Double) -> Double?) throws -> [Float] {
    try zip(labels, lines).map { label, line in
      guard let value = value(label).map({ Float($0) }), value.isFinite else {
        throw fault("the label is \(label.formattedShortly), and not \(expectation)", line: line)
      }
      return value
    }
  }
}

extension Double {
  /// Whole numbers without a fraction.
  fileprivate var formattedShortly: String {
    self == rounded() && magnitude < 1e15 ? "\(Int(self))" : "\(self)"
  }
}
