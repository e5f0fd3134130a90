import Testing

@testable import NN

@Suite("suggestions for mistyped names")
struct SuggestionTests {
  @Test(
    "the distance counts insertions, deletions, replacements and exchanges of neighbours",
    arguments: [
      ("", "", 0), ("abc", "abc", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abd", 1),
      ("abc", "ab", 1), ("ab", "abc", 1), ("ab", "ba", 1), ("abcd", "acbd", 1), ("relu", "rleu", 1),
      ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("momentum", "mommentun", 2), ("a", "b", 1),
    ])
  func distance(a: String, b: String, expected: Int) {
    #expect(Suggestion.distance(a, b) == expected)
    #expect(Suggestion.distance(b, a) == expected)
  }

  @Test("the nearest name is taken, if it is near enough to be a slip")
  func nearest() {
    let names = ["epochs", "max-steps", "seed", "shards", "shuffle"]
    #expect(Suggestion.nearest(to: "epoch", among: names) == "epochs")
    #expect(Suggestion.nearest(to: "sede", among: names) == "seed")
    #expect(Suggestion.nearest(to: "max_step", among: names) == "max-steps")
    #expect(Suggestion.nearest(to: "shard", among: names) == "shards")
    #expect(Suggestion.nearest(to: "learning-rate", among: names) == nil)
    #expect(Suggestion.nearest(to: "x", among: []) == nil)
  }
}
