import Testing
import TestSupport

@testable import Experiments

@Suite("hostfiles")
struct HostfileTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  @Test(
    "hosts and slots are read as mpirun reads them",
    arguments: [
      ("a slots=4\nb slots=2\n", ["a", "b"], 6), ("a", ["a"], nil),
      ("a\nb slots=2\n", ["a", "b"], nil),
      ("# all\na slots=2 # first\n\n   \n  b\tslots = 3\n", ["a", "b"], 5),
      ("a slots= 2\nb slots =3\n", ["a", "b"], 5), ("a max_slots=8 slots=2\n", ["a"], 2),
      ("a slots=2 max_slots=8\n", ["a"], 2), ("a max-slots=8\n", ["a"], nil),
      ("a slots=2\r\nb slots=3\r\n", ["a", "b"], 5), ("10.0.0.1 slots=1", ["10.0.0.1"], 1),
      ("#a slots=9\nb slots=1\n", ["b"], 1),
    ] as [(String, [String], Int?)])
  func good(text: String, hosts: [String], slots: Int?) throws {
    let hostfile = try Hostfile(path: try folder.file("hosts", text))
    #expect(hostfile.hosts == hosts)
    #expect(hostfile.slots == slots)
  }

  @Test(
    "slots that are no positive number are refused, with the line",
    arguments: [
      "slots=0", "slots=-1", "slots=many", "slots=", "slots=2.5", "slots=99999999999999999999",
      "slots=9223372036854775807", "slots 4", "slots",
    ])
  func badSlots(setting: String) throws {
    let path = try folder.file("hosts", "a slots=2\nb \(setting)\n")
    let error = #expect(throws: HostfileError.self) { try Hostfile(path: path) }
    #expect(error?.description == "\(path): 'b \(setting)': slots is not a positive number")
    #expect(error?.isMissing == false)
  }

  @Test("a file without a host is refused", arguments: ["", "\n\n", "# nobody\n", "  \t\n"])
  func empty(text: String) throws {
    let path = try folder.file("hosts", text)
    let error = #expect(throws: HostfileError.self) { try Hostfile(path: path) }
    #expect(error?.description == "\(path): there is no host in it")
    #expect(error?.isMissing == false)
  }

  @Test("a missing file is said to be missing")
  func missing() {
    let error = #expect(throws: HostfileError.self) {
      try Hostfile(path: "\(folder.path)/none")
    }
    #expect(error?.isMissing == true)
    #expect(error?.description == "\(folder.path)/none: no such hostfile")
  }
}
