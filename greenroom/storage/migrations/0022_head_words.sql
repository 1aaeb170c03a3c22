-- What a title names counts more than what it says of it: the words of all services are indexed anew, a little later.

UPDATE services SET search_dirty = true;
