import Foundation
import Kernels
import Testing
import TestSupport

@testable import Training

@Suite("configurations with random faults")
struct ConfigurationFuzzTests {
  /// Pieces that mean something to YAML or to a configuration.
  static let pieces = [
    ":", "- ", "[", "]", "{", "}", "\n", "  ", "'", "\"", "#", "&a ", "*a", "!!int ", "null", "~",
    ".inf", "-1", "0", "1e999", "9999999999999999999", "1:2:3", "9223372036854775807:59", "\t", "%",
    "? ", "|", ">", "---\n", "<<: ", "relu", "{dense: 5}", "training", "epochs: ", "\u{0}", "é",
    "😀", "data:", "\\", ",",
  ]

  @Test("an example with edits is read, or refused with faults", arguments: RoundTripTests.examples)
  func edits(name: String) throws {
    let text = try String(contentsOfFile: "\(Location.package)/Examples/\(name)", encoding: .utf8)
    let original = Array(text)
    var accepted = 0
    let cases = 300
    for number in 0..<cases {
      let stream = RandomStream(seed: 11, purpose: .shuffle, instance: number)
      var characters = original
      for edit in 0...number % 4 where !characters.isEmpty {
        let words = stream.block(UInt64(edit))
        let position = Int(words.x) % characters.count
        switch words.y % 4 {
        case 0: characters.remove(at: position)
        case 1:
          characters.insert(contentsOf: pieces(words.z), at: position)
        case 2:
          let end = min(characters.count, position + 1 + Int(words.w % 12))
          characters.replaceSubrange(position..<end, with: pieces(words.z))
        default:
          let other = Int(words.z) % characters.count
          characters.swapAt(position, other)
        }
      }
      do {
        let configuration = try TrainingConfiguration(yaml: String(characters), name: name)
        let again = try TrainingConfiguration(yaml: configuration.text, name: name)
        #expect(again.text == configuration.text, "case \(number)")
        accepted += 1
      } catch let error as ConfigurationError {
        #expect(!error.faults.isEmpty)
        #expect(error.faults.allSatisfy { !$0.reason.isEmpty && !$0.reason.contains("\n") })
      }
    }
    #expect(accepted > cases / 20 && accepted < cases)
  }

  private func pieces(_ word: UInt32) -> String {
    ConfigurationFuzzTests.pieces[Int(word) % ConfigurationFuzzTests.pieces.count]
  }
}
