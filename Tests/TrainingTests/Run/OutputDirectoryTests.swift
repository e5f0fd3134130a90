import Foundation
import Testing
import TestSupport

@testable import Training

@Suite("the run directory")
struct OutputDirectoryTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private func entries(_ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  private func refusal(
    _ path: String, at location: SourceLocation = #_sourceLocation
  ) -> String {
    let error = #expect(throws: TrainingError.self, sourceLocation: location) {
      _ = try OutputDirectory.create(path, marker: "metrics.jsonl")
    }
    #expect(error?.exitCode == 73, sourceLocation: location)
    return error?.description ?? ""
  }

  @Test("a folder is made with those around it; an empty one is taken as it is")
  func made() throws {
    let path = "\(folder.path)/a/b/c"
    for _ in 0..<2 {
      let (directory, movedTo) = try OutputDirectory.create(path, marker: "metrics.jsonl")
      #expect(directory.path == path)
      #expect(movedTo == nil)
      #expect(try entries(path).isEmpty)
    }
  }

  @Test("earlier runs are moved aside, one after the other", arguments: ["", "/", "///"])
  func moved(slashes: String) throws {
    let path = "\(folder.path)/run"
    for number in 0..<4 {
      let (directory, movedTo) = try OutputDirectory.create(path + slashes, marker: "metrics.jsonl")
      #expect(directory.path == path)
      #expect(movedTo == (number == 0 ? nil : "\(path).\(number)"))
      #expect(try entries(path).isEmpty)
      try directory.write(Data("\(number)".utf8), to: "metrics.jsonl")
    }
    #expect(try entries(folder.path) == ["run", "run.1", "run.2", "run.3"])
    #expect(try String(contentsOfFile: "\(path).2/metrics.jsonl", encoding: .utf8) == "1")
  }

  @Test("a folder of something else is left alone")
  func foreign() throws {
    _ = try folder.file("thesis.tex", "years of work")
    #expect(
      refusal(folder.path)
        == "\(folder.path): this folder holds something else: choose another with --output")
    #expect(try entries(folder.path) == ["thesis.tex"])
  }

  @Test("a file is left alone, and so is what would be below it")
  func file() throws {
    let path = try folder.file("file", "x")
    #expect(refusal(path) == "\(path): a file is where the folder should be")
    #expect(refusal("\(path)/run") == "\(path)/run: the folder cannot be made: Not a directory")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "x")
  }

  @Test("a place where nobody can make a folder is refused", arguments: ["/proc/run", "/proc/1/x"])
  func notWritable(path: String) {
    #expect(refusal(path).hasPrefix("\(path): the folder cannot be made: "))
  }

  @Test("a file that is written replaces the one before, and leaves nothing else behind")
  func write() throws {
    let path = "\(folder.path)/run"
    let (directory, _) = try OutputDirectory.create(path, marker: "metrics.jsonl")
    for text in ["first", "second, which is longer", "3"] {
      try directory.write(Data(text.utf8), to: "summary.json")
      #expect(try String(contentsOfFile: "\(path)/summary.json", encoding: .utf8) == text)
    }
    #expect(try entries(path) == ["summary.json"])
  }

  @Test("a reader never sees a part of a file: the file it has opened stays as it was")
  func atomic() throws {
    let (directory, _) = try OutputDirectory.create("\(folder.path)/run", marker: "m")
    try directory.write(Data("old".utf8), to: "f")
    let reader = try #require(FileHandle(forReadingAtPath: "\(folder.path)/run/f"))
    try directory.write(Data("new and longer".utf8), to: "f")
    #expect(try reader.readToEnd() == Data("old".utf8))
  }

  @Test("a file that cannot be written is an I/O fault with its name")
  func writeFault() throws {
    let path = "\(folder.path)/run"
    let (directory, _) = try OutputDirectory.create(path, marker: "m")
    try FileManager.default.removeItem(atPath: path)
    let error = #expect(throws: TrainingError.self) {
      try directory.write(Data(), to: "config.yaml")
    }
    #expect(error?.exitCode == 74)
    #expect(
      error?.description == "\(path)/config.yaml: cannot be written: No such file or directory")
  }

  @Test("metrics.jsonl holds an object a line")
  func log() throws {
    let (directory, _) = try OutputDirectory.create("\(folder.path)/run", marker: "metrics.jsonl")
    let log = try RunLog(in: directory, isQuiet: true)
    try log.record(
      StepEvent(
        step: 3, epoch: 1, samples: 96, loss: JSONNumber(value: 0.25), learningRate: 0.5,
        seconds: 2, samplesPerSecond: 48))
    try log.record(
      EvaluationEvent(step: 3, epoch: 1, loss: JSONNumber(value: .nan), accuracy: nil, seconds: 3))
    try log.record(EndEvent(status: "completed", step: 3, seconds: 4))
    #expect(
      try String(contentsOfFile: "\(folder.path)/run/metrics.jsonl", encoding: .utf8) == """
        {"epoch":1,"event":"step","learning-rate":0.5,"loss":0.25,"samples":96,\
        "samples-per-second":48,"seconds":2,"step":3}
        {"epoch":1,"event":"evaluation","loss":null,"seconds":3,"step":3}
        {"event":"end","seconds":4,"status":"completed","step":3}

        """)
    let error = #expect(throws: TrainingError.self) {
      try FileManager.default.removeItem(atPath: directory.path)
      _ = try RunLog(in: directory, isQuiet: true)
    }
    #expect(error?.exitCode == 73)
  }
}
