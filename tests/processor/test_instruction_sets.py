from processor.instruction_sets import instruction_sets


def test_flags_are_read(tmp_path):
    (tmp_path / "cpuinfo").write_text("processor : 0\nflags : fpu avx2 avx512f\n")
    assert {"avx2", "avx512f"} <= instruction_sets(tmp_path / "cpuinfo")
    assert instruction_sets(tmp_path / "none") == frozenset()
