// Feeds RTP packets to RTC/RTP/WireFormat.hpp. Built and run by wire-format.test.ts under
// AddressSanitizer and UndefinedBehaviorSanitizer; every packet lies in a heap block of
// exactly its length, so that one byte read or written too far ends the run.
#include "RTC/RTP/WireFormat.hpp"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

using RTC::RTP::WireFormat;
using Bytes = std::vector<uint8_t>;

namespace
{
	int failures{ 0 };

	void Check(bool ok, const char* what, int line)
	{
		if (!ok)
		{
			std::fprintf(stderr, "line %d: not so: %s\n", line, what);
			++failures;
		}
	}
#define CHECK(condition) Check((condition), #condition, __LINE__)

	/** xorshift64: the same numbers in every run. */
	uint64_t seed{ 0x9E3779B97F4A7C15u };
	uint32_t Random(uint32_t below)
	{
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		return static_cast<uint32_t>(seed >> 32) % below;
	}

	/** A viewer who knows router payload type 100 as 120, and extensions 1, 4, 5 and 12 as 9, 3, 14 and 200. */
	WireFormat Viewer()
	{
		WireFormat format;
		format.mediaSsrc         = 0x11223344u;
		format.rtxSsrc           = 0x55667788u;
		format.rtxPayloadType    = 121;
		format.payloadTypes[100] = 120;
		format.extensionIds[1]   = 9;
		format.extensionIds[4]   = 3;
		format.extensionIds[5]   = 14;
		format.extensionIds[12]  = 200;
		return format;
	}

	struct Parts
	{
		uint8_t firstByte{ 0x80 };
		bool marker{ false };
		uint8_t payloadType{ 100 };
		uint32_t ssrc{ 0x11223344u };
		Bytes csrcs{};
		bool extension{ false };
		uint16_t profile{ 0xBEDE };
		Bytes elements{};
		Bytes payload{ 0xAA, 0xBB, 0xCC };
	};

	Bytes Build(const Parts& parts)
	{
		Bytes packet{ static_cast<uint8_t>(parts.firstByte | (parts.extension ? 0x10 : 0) | (parts.csrcs.size() / 4)),
			            static_cast<uint8_t>((parts.marker ? 0x80 : 0) | parts.payloadType),
			            0x12, 0x34, 1, 2, 3, 4,
			            static_cast<uint8_t>(parts.ssrc >> 24), static_cast<uint8_t>(parts.ssrc >> 16),
			            static_cast<uint8_t>(parts.ssrc >> 8), static_cast<uint8_t>(parts.ssrc) };
		packet.insert(packet.end(), parts.csrcs.begin(), parts.csrcs.end());
		if (parts.extension)
		{
			Bytes elements = parts.elements;
			while (elements.size() % 4 != 0)
			{
				elements.push_back(0);
			}
			packet.push_back(static_cast<uint8_t>(parts.profile >> 8));
			packet.push_back(static_cast<uint8_t>(parts.profile));
			packet.push_back(static_cast<uint8_t>(elements.size() / 4 >> 8));
			packet.push_back(static_cast<uint8_t>(elements.size() / 4));
			packet.insert(packet.end(), elements.begin(), elements.end());
		}
		packet.insert(packet.end(), parts.payload.begin(), parts.payload.end());
		return packet;
	}

	struct Result
	{
		bool sent;
		Bytes packet;
	};

	template<typename Write>
	Result Run(const Bytes& packet, Write write)
	{
		std::unique_ptr<uint8_t[]> block(new uint8_t[packet.size()]);
		std::copy(packet.begin(), packet.end(), block.get());
		const bool sent = write(block.get(), packet.size());
		return { sent, Bytes(block.get(), block.get() + packet.size()) };
	}

	Result Media(const Bytes& packet, const WireFormat& format = Viewer())
	{
		return Run(packet, [&](uint8_t* data, size_t length) { return RTC::RTP::WriteWireFormat(data, length, format); });
	}

	Result Probe(const Bytes& packet, const WireFormat& format = Viewer())
	{
		return Run(
		  packet, [&](uint8_t* data, size_t length) { return RTC::RTP::WriteWireProbe(data, length, format, 0xABCD); });
	}

	/** Expects that `parts` go out with these elements, payload type 120 and all else as it was. */
	void ExpectElements(Parts parts, const Bytes& elements, int line)
	{
		const auto result    = Media(Build(parts));
		parts.elements       = elements;
		parts.payloadType    = 120;
		Check(result.sent && result.packet == Build(parts), "the packet has the expected elements", line);
	}

	void TestPayloadTypes()
	{
		const auto plain = Media(Build({}));
		CHECK(plain.sent && plain.packet == Build({ .payloadType = 120 }));

		const auto marked = Media(Build({ .marker = true }));
		CHECK(marked.sent && marked.packet == Build({ .marker = true, .payloadType = 120 }));

		// One that the viewer did not negotiate.
		CHECK(!Media(Build({ .payloadType = 101 })).sent);
		CHECK(!Media(Build({ .payloadType = 127 })).sent);

		// Retransmissions have the viewer's payload type already.
		const auto rtx = Media(Build({ .payloadType = 121, .ssrc = 0x55667788u }));
		CHECK(rtx.sent && rtx.packet == Build({ .payloadType = 121, .ssrc = 0x55667788u }));
	}

	void TestLayouts()
	{
		const Bytes csrcs(60, 0x77);
		const auto withCsrcs = Media(Build({ .csrcs = csrcs }));
		CHECK(withCsrcs.sent && withCsrcs.packet == Build({ .payloadType = 120, .csrcs = csrcs }));

		const auto padded = Media(Build({ .firstByte = 0xA0, .payload = { 1, 0, 0, 3 } }));
		CHECK(padded.sent && padded.packet == Build({ .firstByte = 0xA0, .payloadType = 120, .payload = { 1, 0, 0, 3 } }));

		const auto empty = Media(Build({ .payload = {} }));
		CHECK(empty.sent && empty.packet == Build({ .payloadType = 120, .payload = {} }));

		// An empty extension block, and one of no form of RFC 8285.
		ExpectElements({ .extension = true }, {}, __LINE__);
		ExpectElements({ .extension = true, .profile = 0x1234, .elements = { 0x10, 7, 8, 9 } }, { 0x10, 7, 8, 9 }, __LINE__);
		ExpectElements({ .csrcs = csrcs, .extension = true, .elements = { 0x10, 7 } }, { 0x90, 7 }, __LINE__);
	}

	void TestOneByteForm()
	{
		const auto expect = [](const Bytes& from, const Bytes& to, int line)
		{ ExpectElements({ .extension = true, .elements = from }, to, line); };

		expect({ 0x10, 7, 0x42, 1, 2, 3, 0x51, 4, 5 }, { 0x90, 7, 0x32, 1, 2, 3, 0xE1, 4, 5 }, __LINE__);
		// Padding between elements stays.
		expect({ 0, 0, 0x10, 7, 0, 0x51, 4, 5 }, { 0, 0, 0x90, 7, 0, 0xE1, 4, 5 }, __LINE__);
		// Not negotiated (6), and negotiated with an id that only the Two-Bytes form holds (12).
		expect({ 0x60, 0xFF, 0xC1, 1, 2, 0x10, 7 }, { 0, 0, 0, 0, 0, 0x90, 7 }, __LINE__);
		// Ids 15 and 0 with a length end the block.
		expect({ 0x10, 7, 0xF2, 0x10, 8, 9 }, { 0x90, 7 , 0, 0, 0, 0 }, __LINE__);
		expect({ 0x10, 7, 0x02, 0x10, 8, 9 }, { 0x90, 7 , 0, 0, 0, 0 }, __LINE__);
		// The longest value, and one that exceeds the block.
		Bytes longest{ 0x1F };
		longest.resize(17, 0x55);
		Bytes moved = longest;
		moved[0]    = 0x9F;
		expect(longest, moved, __LINE__);
		CHECK(!Media(Build({ .extension = true, .elements = { 0x13, 1, 2, 3 } })).sent);
		CHECK(!Media(Build({ .extension = true, .elements = { 0x10, 7, 0, 0x50 } })).sent);
	}

	void TestTwoBytesForm()
	{
		const auto expect = [](const Bytes& from, const Bytes& to, int line)
		{ ExpectElements({ .extension = true, .profile = 0x1003, .elements = from }, to, line); };

		expect({ 1, 1, 7, 12, 2, 8, 9 }, { 9, 1, 7, 200, 2, 8, 9 }, __LINE__);
		// No value at all, not negotiated, and an id beyond all of the Router's.
		expect({ 1, 0, 6, 2, 1, 1, 240, 1, 1, 0, 5, 0 }, { 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 14, 0 }, __LINE__);
		Bytes longest{ 5, 255 };
		longest.resize(257, 0x55);
		Bytes moved = longest;
		moved[0]    = 14;
		expect(longest, moved, __LINE__);
		CHECK(!Media(Build({ .extension = true, .profile = 0x1000, .elements = { 1, 3, 1, 2 } })).sent);
		CHECK(!Media(Build({ .extension = true, .profile = 0x1000, .elements = { 0, 0, 0, 1 } })).sent);
	}

	void TestProbes()
	{
		Parts parts{ .payloadType = 127, .ssrc = 1234, .extension = true, .elements = { 0x42, 1, 2, 3, 0x51, 4, 5 } };
		parts.payload.assign(252, 0);
		auto expected        = parts;
		expected.firstByte   = 0xA0;
		expected.payloadType = 121;
		expected.ssrc        = 0x55667788u;
		expected.elements    = { 0x32, 1, 2, 3, 0xE1, 4, 5 };
		expected.payload[251] = 252;
		auto expectedPacket  = Build(expected);
		expectedPacket[2]    = 0xAB;
		expectedPacket[3]    = 0xCD;
		const auto result    = Probe(Build(parts));
		CHECK(result.sent && result.packet == expectedPacket);

		parts.payload.assign(255, 0);
		CHECK(Probe(Build(parts)).sent);
		parts.payload.assign(256, 0);
		CHECK(!Probe(Build(parts)).sent);
		parts.payload.clear();
		const auto empty = Probe(Build(parts));
		CHECK(empty.sent && (empty.packet[0] & 0x20) == 0);

		auto withoutRtx           = Viewer();
		withoutRtx.rtxPayloadType = WireFormat::NoPayloadType;
		CHECK(!Probe(Build(parts), withoutRtx).sent);
	}

	void TestChangesNothing()
	{
		constexpr std::array<uint8_t, 2> ids{ 1, 4 };
		WireFormat same;
		same.payloadTypes[100] = 100;
		same.extensionIds[1]   = 1;
		same.extensionIds[4]   = 4;
		CHECK(same.ChangesNothing(ids));

		auto otherCodec              = same;
		otherCodec.payloadTypes[101] = 100;
		CHECK(!otherCodec.ChangesNothing(ids));

		auto withoutExtension            = same;
		withoutExtension.extensionIds[4] = 0;
		CHECK(!withoutExtension.ChangesNothing(ids));
	}

	/** Packets of every kind above, for truncation and mutation. */
	std::vector<Bytes> Corpus()
	{
		Bytes longTwoBytes{ 5, 255 };
		longTwoBytes.resize(257, 0x55);
		return {
			Build({}),
			Build({ .firstByte = 0xA0, .payload = { 1, 0, 0, 3 } }),
			Build({ .csrcs = Bytes(60, 0x77) }),
			Build({ .extension = true, .elements = { 0x10, 7, 0x42, 1, 2, 3, 0x51, 4, 5, 0x60, 1 } }),
			Build({ .csrcs = Bytes(8, 0x77), .extension = true, .elements = { 0x10, 7, 0xF2, 0x10, 8, 9 } }),
			Build({ .extension = true, .profile = 0x1000, .elements = { 1, 1, 7, 12, 2, 8, 9, 6, 0, 4, 3, 1, 2, 3 } }),
			Build({ .csrcs = Bytes(4, 0x77), .extension = true, .profile = 0x100F, .elements = longTwoBytes }),
			Build({ .payloadType = 121, .ssrc = 0x55667788u, .extension = true, .elements = { 0x51, 4, 5 } }),
		};
	}

	size_t TestTruncation()
	{
		size_t count{ 0 };
		for (const auto& packet : Corpus())
		{
			RTC::RTP::WireLayout layout;
			CHECK(layout.Read(packet.data(), packet.size()));
			for (size_t length{ 0 }; length <= packet.size(); ++length)
			{
				const Bytes truncated(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(length));
				CHECK(Media(truncated).sent == (length >= layout.headerLength));
				Probe(truncated);
				++count;
			}
		}
		return count;
	}

	/** Whether only ids of the viewer are left. */
	bool HasForeignElement(const Bytes& packet, const WireFormat& format)
	{
		RTC::RTP::WireLayout layout;
		if (!layout.Read(packet.data(), packet.size()) || !layout.hasExtension)
		{
			return false;
		}
		const int profile    = (packet[layout.fixedLength] << 8) | packet[layout.fixedLength + 1];
		const bool oneByte   = profile == 0xBEDE;
		const bool twoBytes  = (profile & 0xFFF0) == 0x1000;
		size_t pos           = layout.fixedLength + 4;
		while ((oneByte || twoBytes) && pos < layout.headerLength)
		{
			if (packet[pos] == 0)
			{
				++pos;
				continue;
			}
			const int id  = oneByte ? packet[pos] >> 4 : packet[pos];
			bool negotiated{ false };
			for (const auto wireId : format.extensionIds)
			{
				negotiated = negotiated || (wireId != 0 && wireId == id);
			}
			if (!negotiated)
			{
				return true;
			}
			pos += oneByte ? 2u + (packet[pos] & 0x0F) : 2u + packet[pos + 1];
		}
		return false;
	}

	void TestMutations(size_t count)
	{
		const auto corpus = Corpus();
		const auto format = Viewer();
		for (size_t i{ 0 }; i < count && failures == 0; ++i)
		{
			Bytes packet = corpus[Random(static_cast<uint32_t>(corpus.size()))];
			for (uint32_t changes = 1 + Random(4); changes > 0; --changes)
			{
				// Headers are where it matters.
				const auto reach = Random(2) == 0 ? std::min<size_t>(packet.size(), 32) : packet.size();
				packet[Random(static_cast<uint32_t>(reach))] = static_cast<uint8_t>(Random(256));
			}
			if (Random(4) == 0)
			{
				packet.resize(Random(static_cast<uint32_t>(packet.size() + 1)));
			}

			const bool probe  = Random(4) == 0;
			const auto result = probe ? Probe(packet, format) : Media(packet, format);
			if (!result.sent)
			{
				continue;
			}
			CHECK(!HasForeignElement(result.packet, format));
			if (!probe)
			{
				RTC::RTP::WireLayout layout;
				CHECK(layout.Read(packet.data(), packet.size()));
				const auto begin = static_cast<ptrdiff_t>(layout.headerLength);
				CHECK(Bytes(packet.begin() + begin, packet.end()) == Bytes(result.packet.begin() + begin, result.packet.end()));
			}
		}
	}
} // namespace

int main(int argc, char* argv[])
{
	const size_t mutations = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;

	TestPayloadTypes();
	TestLayouts();
	TestOneByteForm();
	TestTwoBytesForm();
	TestProbes();
	TestChangesNothing();
	const size_t truncated = TestTruncation();
	TestMutations(mutations);

	std::printf("%zu truncations, %zu mutations, %d failures\n", truncated, mutations, failures);
	return failures == 0 ? 0 : 1;
}
