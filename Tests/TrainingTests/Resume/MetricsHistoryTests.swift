import Foundation
import Testing

@testable import Training

@Suite("metrics of a run that goes on")
struct MetricsHistoryTests {
  private let lines = [
    #"{"event":"start","ranks":2}"#, #"{"event":"step","step":4}"#,
    #"{"event":"evaluation","step":4}"#, #"{"event":"step","step":5}"#,
    #"{"event":"evaluation","step":5}"#, #"{"event":"warning","message":"x"}"#,
    #"{"event":"step","step":6}"#, #"{"event":"checkpoint","step":5}"#,
    #"{"event":"end","step":6}"#,
  ]

  private func kept(_ text: String, upTo step: Int) -> [String] {
    String(decoding: MetricsHistory(Data(text.utf8), upTo: step).text, as: UTF8.self)
      .split(separator: "\n").map(String.init)
  }

  @Test("lines of steps after the checkpoint go, and the evaluation that comes again")
  func later() {
    let text = lines.joined(separator: "\n") + "\n"
    #expect(kept(text, upTo: 5) == [0, 1, 2, 3, 5, 7].map { lines[$0] })
    #expect(kept(text, upTo: 4) == [0, 1, 5].map { lines[$0] })
    #expect(kept(text, upTo: 9) == lines)
    #expect(kept("", upTo: 1) == [])
  }

  @Test("a torn last line goes, wherever it was torn")
  func torn() {
    let text = lines.joined(separator: "\n")
    let last = lines.last!.utf8.count
    for cut in 1...last {
      #expect(kept(String(text.dropLast(cut)), upTo: 9) == lines.dropLast())
    }
    #expect(kept(text, upTo: 9) == lines)
    let history = MetricsHistory(Data(text.dropLast(3).utf8), upTo: 9)
    #expect(history.text.last == 0x0A)
  }
}

@Suite("a run's numbers in a checkpoint")
struct RunStateTests {
  @Test("read back bit for bit, whatever they are")
  func roundTrip() throws {
    var progress = TrainingProgress()
    progress.record(step: 0, loss: 0.1, samples: 3)
    progress.record(step: 1, loss: .leastNormalMagnitude / 1024, samples: 7)
    progress.endEpoch(.init(loss: .infinity, accuracy: 1.0 / 3), trainingSeconds: 0.7)
    progress.record(step: 2, loss: 1.0 / 3, samples: 1)
    let state = RunState(progress: progress, seconds: [0.1, 1e-9, .pi], updates: 2)
    #expect(try RunState(text: state.text()) == state)
    var again = try RunState(text: state.text())
    again.progress.endEpoch(nil, trainingSeconds: 1)
    progress.endEpoch(nil, trainingSeconds: 1)
    #expect(again.progress == progress)
  }

  @Test("what ended one process ends no other")
  func status() {
    var progress = TrainingProgress()
    progress.status = "target-loss"
    #expect(RunState(progress: progress, seconds: [], updates: 0).progress.status == "completed")
  }
}
