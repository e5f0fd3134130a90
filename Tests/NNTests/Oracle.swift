import Foundation
import TestSupport

@testable import NN

/// Reference tables that the scripts in Oracles wrote. Both sides draw inputs, parameters and
/// targets alike; only results are stored.
enum Oracle {
  /// The cases of a table.
  static func cases<Case: Decodable>(_ name: String) -> [Case] {
    let path = "\(Location.package)/Tests/NNTests/Oracles/\(name).json"
    return try! JSONDecoder().decode(
      [Case].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// A multiple of 2^-11 in -1..<1, as `draw` in Oracles/oracle.py.
  static func draw(_ stream: Int, _ index: Int) -> Float {
    var x = UInt32(stream * 256 + index + 1)
    x = (x ^ x >> 16) &* 0x85EB_CA6B
    x = (x ^ x >> 13) &* 0xC2B2_AE35
    x ^= x >> 16
    return Float(x >> 20) / 2048 - 1
  }
}

/// A tensor that both sides draw.
enum DrawnTensor {
  case input
  case outputGradient
  case targets
  case parameter(Int)
  case state(Int)

  private var number: Int {
    switch self {
    case .input: 0
    case .outputGradient: 1
    case .targets: 2
    case .parameter(let number): 3 + number
    case .state(let number): 64 + number
    }
  }

  func values(_ count: Int) -> [Float] {
    (0..<count).map { Oracle.draw(16 * number + $0 / 256, $0 % 256) }
  }

  /// Whole numbers from 0 to below `limit`.
  func wholeNumbers(_ count: Int, below limit: Int) -> [Float] {
    values(count).map { (($0 + 1) / 2 * Float(limit)).rounded(.down) }
  }
}

/// A result in float64, and how far float32 may be from any element, in units of 2^-24.
struct StoredTensor: Decodable, Sendable {
  var values: [Double]
  var bound: Double

  /// What is farther, in words.
  func faults(of found: some Sequence<Float>) -> [String] {
    let found = Array(found)
    guard found.count == values.count else {
      return ["\(found.count) elements instead of \(values.count)"]
    }
    return found.indices.compactMap { i in
      (Double(found[i]) - values[i]).magnitude <= bound * unitRoundoff
        ? nil : "element \(i): \(found[i]) instead of \(values[i])"
    }
  }
}

extension Slab {
  /// Draws each tensor.
  func fill(_ values: (_ number: Int, _ count: Int) -> [Float]) {
    for (number, tensor) in layout.tensors.enumerated() {
      elements(of: tensor).update(values(number, tensor.shape.count))
    }
  }

  /// Which tensors are not those that are stored, and where, in words.
  func faults(_ stored: [StoredTensor]) -> [String] {
    guard stored.count == layout.tensors.count else {
      return ["\(layout.tensors.count) tensors instead of \(stored.count)"]
    }
    return zip(layout.tensors, stored).flatMap { tensor, stored in
      stored.faults(of: elements(of: tensor)).map { "\(tensor.name), \($0)" }
    }
  }
}

extension LayerSpecification {
  /// Layers as a table has them.
  static func list(of settings: [RawSetting]) throws -> [LayerSpecification] {
    var faults: [SettingFault] = []
    let layers = list(settings, faults: &faults)
    if let fault = faults.first { throw fault }
    return layers
  }
}

extension RawSetting: Decodable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let flag = try? container.decode(Bool.self) {
      self.init(.flag(flag))
    } else if let integer = try? container.decode(Int.self) {
      self.init(.integer(integer))
    } else if let number = try? container.decode(Double.self) {
      self.init(.number(number))
    } else if let text = try? container.decode(String.self) {
      self.init(.text(text))
    } else if let items = try? container.decode([RawSetting].self) {
      self.init(.list(items))
    } else {
      let entries = try container.decode([String: RawSetting].self).sorted { $0.key < $1.key }
      self.init(.map(entries.map { Entry(key: $0.key, value: $0.value) }))
    }
  }
}
