import Testing

@testable import Training

@Suite("what kept ranks from going on")
struct JointFailureTests {
  static let hosts = ["a", "a", "b", "b"]

  private func refusal(_ reports: [String]) -> JointFailure? {
    JointFailure(reports: reports, hosts: JointFailureTests.hosts)
  }

  @Test("nothing is said where nothing is wrong")
  func none() {
    #expect(refusal(["", "", "", ""]) == nil)
  }

  @Test("what all ranks say is said once, without a rank")
  func all() {
    let refusal = refusal(Array(repeating: "66 train: no such file", count: 4))
    #expect(refusal?.exitCode == 66)
    #expect(refusal?.description == "train: no such file")
  }

  @Test("what some ranks say is said once, with the first of them and their number")
  func some() {
    #expect(refusal(["", "", "65 f: bad", ""])?.description == "[2/4 b] f: bad")
    #expect(
      refusal(["", "65 f: bad", "65 f: bad", ""])?.description
        == "[1/4 a] f: bad (and 1 other rank)")
    #expect(
      refusal(["", "65 f: bad", "65 f: bad", "65 f: bad"])?.description
        == "[1/4 a] f: bad (and 2 other ranks)")
  }

  @Test("different things are said each once; the first gives the exit code")
  func different() {
    let refusal = refusal(["66 f: no such file", "65 f: bad", "66 f: no such file", ""])
    #expect(refusal?.exitCode == 66)
    #expect(
      refusal?.description == """
        [0/4 a] f: no such file (and 1 other rank)
        [1/4 a] f: bad
        """)
  }

  @Test("a report of several lines stays whole")
  func lines() {
    let refusal = refusal(Array(repeating: "64 c.yaml:1: one\nc.yaml:2: two", count: 4))
    #expect(refusal?.exitCode == 64)
    #expect(refusal?.description == "c.yaml:1: one\nc.yaml:2: two")
  }
}
