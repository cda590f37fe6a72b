//! The request of `umadb.v1.DCB/Append`, version 1 of UmaDB's protocol.

use bytes::{BufMut, Bytes, BytesMut};

const EVENT_TYPE: &[u8] = b"Appended";
const PAYLOAD: [u8; 200] = [b'x'; 200];
const UUID_LENGTH: usize = 36;

const LENGTH_DELIMITED: u8 = 2;

mod field {
    pub const REQUEST_EVENTS: u8 = 1;
    pub const REQUEST_CONDITION: u8 = 2;
    pub const EVENT_TYPE: u8 = 1;
    pub const EVENT_TAGS: u8 = 2;
    pub const EVENT_DATA: u8 = 3;
    pub const EVENT_UUID: u8 = 4;
    pub const CONDITION_FAIL_IF_EVENTS_MATCH: u8 = 1;
    pub const QUERY_ITEMS: u8 = 1;
    pub const QUERY_ITEM_TAGS: u8 = 2;
}

/// A gRPC frame that appends one event with the tag, if no event has it.
pub fn append_frame(tag: &str, number: u64) -> Bytes {
    let message = append_request(tag.as_bytes(), &uuid(std::process::id(), number));
    let mut frame = BytesMut::with_capacity(5 + message.len());
    frame.put_u8(0);
    frame.put_u32(message.len() as u32);
    frame.put_slice(&message);
    frame.freeze()
}

fn append_request(tag: &[u8], uuid: &[u8]) -> Vec<u8> {
    let mut event = Vec::with_capacity(320);
    put(&mut event, field::EVENT_TYPE, EVENT_TYPE);
    put(&mut event, field::EVENT_TAGS, tag);
    put(&mut event, field::EVENT_DATA, &PAYLOAD);
    put(&mut event, field::EVENT_UUID, uuid);
    let item = wrapped(field::QUERY_ITEM_TAGS, tag);
    let query = wrapped(field::QUERY_ITEMS, &item);
    let condition = wrapped(field::CONDITION_FAIL_IF_EVENTS_MATCH, &query);
    let mut request = wrapped(field::REQUEST_EVENTS, &event);
    put(&mut request, field::REQUEST_CONDITION, &condition);
    request
}

fn wrapped(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(bytes.len() + 4);
    put(&mut message, number, bytes);
    message
}

fn put(message: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    message.push(number << 3 | LENGTH_DELIMITED);
    let mut rest = bytes.len();
    while rest > 0x7f {
        message.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    message.push(rest as u8);
    message.extend_from_slice(bytes);
}

/// A UUID that is unique on this machine, in the form of version 4. UmaDB answers an append again that repeats its UUID.
fn uuid(process: u32, number: u64) -> [u8; UUID_LENGTH] {
    let text = format!("{process:08x}-0000-4000-8000-{number:012x}");
    text.as_bytes().try_into().expect("a UUID has 36 characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_condition_names_the_tag_of_the_event() {
        let request = append_request(b"ab", &uuid(1, 255));
        let mut event = vec![0x0a, 8];
        event.extend(b"Appended");
        event.extend([0x12, 2, b'a', b'b', 0x1a, 0xc8, 0x01]);
        event.extend(PAYLOAD);
        event.extend([0x22, 36]);
        event.extend(b"00000001-0000-4000-8000-0000000000ff");
        let mut expected = vec![0x0a, (event.len() & 0x7f | 0x80) as u8, (event.len() >> 7) as u8];
        expected.extend(&event);
        expected.extend([0x12, 8, 0x0a, 6, 0x0a, 4, 0x12, 2, b'a', b'b']);
        assert_eq!(request, expected);
    }
}
